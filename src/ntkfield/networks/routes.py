"""Functions of a network whose code stands on a floor above, found by the network's type.

A network says what it is and nothing of how anything is computed of it. The room that computes has a module named as
the network's own, which registers its function there: the kernel of ``networks.mlp.MLP`` comes from ``infinite.mlp``,
its layers from ``bridge.mlp``. That module is imported when it is first asked for, so that no list of networks is kept
anywhere, and a network of one's own may register its functions from wherever it is written.
"""

import functools
import importlib
import importlib.util
from collections.abc import Callable


def route(room: str) -> Callable[[Callable], Callable]:
    """Make a function of a network dispatch on the network's type, as :func:`functools.singledispatch` does.

    Args:
        room: sub-package of ntkfield whose modules register what computes it.

    Returns:
        A decorator for the function that refuses a network of no known type.
    """

    def declare(refusal: Callable) -> Callable:
        known = functools.singledispatch(refusal)

        def of(kind: type) -> Callable:
            """What is registered for a class of networks."""
            if known.dispatch(kind) is refusal:
                _load(room, kind)
            return known.dispatch(kind)

        @functools.wraps(refusal)
        def call(network: object, *arguments: object, **options: object) -> object:
            return of(type(network))(network, *arguments, **options)

        call.register, call.registry, call.of = known.register, known.registry, of
        return call

    return declare


def _load(room: str, kind: type) -> None:
    """Import the module of a room named as the module of a network's class, or of those that it derives from."""
    for base in kind.__mro__:
        package, _, name = base.__module__.rpartition(".")
        if package == __package__ and importlib.util.find_spec(f"ntkfield.{room}.{name}"):
            importlib.import_module(f"ntkfield.{room}.{name}")
