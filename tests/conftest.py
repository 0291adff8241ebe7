"""What several test modules share."""

import pytest


@pytest.fixture(scope="session")
def neural_tangents():
    """The package neural-tangents, as the bridge imports it."""
    from ntkfield.bridge import _neural_tangents

    return _neural_tangents.neural_tangents
