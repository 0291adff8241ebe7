"""Packages that an extra of this one brings: whoever lacks one is told which extra it is."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needs(extra: str, module: str) -> Iterator[None]:
    """Import here what an extra brings.

    Args:
        extra: its name in pyproject.toml.
        module: ``__name__`` of the module that imports.

    Raises:
        ModuleNotFoundError: if a package is missing, in one sentence with the command that installs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        sentence = f'{module} needs {error.name}: pip install "ntkfield[{extra}]"'
        raise ModuleNotFoundError(sentence, name=error.name) from None
