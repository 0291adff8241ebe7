"""What several test modules share."""

import importlib
import sys
import types

import pytest


@pytest.fixture(scope="session")
def neural_tangents():
    """The package neural-tangents; tests that ask for it skip where it is missing.

    Its sub-package `experimental` alone needs TensorFlow, which no environment of ours has: an empty module takes its
    place before the first import.
    """
    if importlib.util.find_spec("neural_tangents") is None:
        pytest.skip("neural-tangents is not installed")
    sys.modules.setdefault("neural_tangents.experimental", types.ModuleType("neural_tangents.experimental"))
    return importlib.import_module("neural_tangents")
