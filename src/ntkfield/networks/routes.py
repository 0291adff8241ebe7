"""Functions of a network whose code stands on a floor above, found by the network's type.

A network says what it is and nothing of how anything is computed of it. The room that computes has a module named as
the network's own, which registers its function there: the kernel of ``networks.mlp.MLP`` comes from ``infinite.mlp``,
its layers from ``bridge.mlp``. That module is imported when it is first asked for, so that no list of networks is kept
anywhere, and a network of one's own may register its functions from wherever it is written.
"""

import functools
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Given = TypeVar("Given", covariant=True)
Function = TypeVar("Function", bound=Callable)


class Route(Protocol[Arguments, Given]):
    """A function of a network that dispatches on the network's type."""

    registry: Mapping[type, Callable]

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Given: ...

    @overload
    def register(self, kind: type, /) -> Callable[[Function], Function]: ...
    @overload
    def register(self, function: Function, /) -> Function: ...

    def of(self, kind: type) -> Callable[Arguments, Given]:
        """What is registered for a class of networks."""
        ...


def route(room: str) -> Callable[[Callable[Arguments, Result]], Route[Arguments, Result]]:
    """Make a function of a network dispatch on the network's type, as :func:`functools.singledispatch` does.

    Args:
        room: sub-package of ntkfield whose modules register what computes it.

    Returns:
        A decorator for the function that refuses a network of no known type.
    """

    def declare(refusal: Callable[Arguments, Result]) -> Route[Arguments, Result]:
        known = functools.singledispatch(refusal)

        def of(kind: type) -> Callable:
            if known.dispatch(kind) is refusal:
                _load(room, kind)
            return known.dispatch(kind)

        @functools.wraps(refusal)
        def call(network: object, *arguments: Any, **options: Any) -> Any:
            return of(type(network))(network, *arguments, **options)

        vars(call).update(register=known.register, registry=known.registry, of=of)
        return cast("Route[Arguments, Result]", call)

    return declare


def _load(room: str, kind: type) -> None:
    """Import the module of a room named as the module of a network's class, or of those that it derives from."""
    for base in kind.__mro__:
        package, _, name = base.__module__.rpartition(".")
        if package == __package__ and importlib.util.find_spec(f"ntkfield.{room}.{name}"):
            importlib.import_module(f"ntkfield.{room}.{name}")
