"""Fields of networks that take more than they keep."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jax

from ntkfield.activations import Activation

if TYPE_CHECKING:

    class ActivationField:
        """What a type checker sees: all that :func:`ntkfield.activation` takes goes in, an Activation comes out."""

        def __get__(self, network: object, kind: type | None = None) -> Activation: ...

        def __set__(
            self, network: object, given: str | Mapping[str, Any] | Activation | Callable[[jax.Array], jax.Array]
        ) -> None: ...
else:
    ActivationField = Activation
