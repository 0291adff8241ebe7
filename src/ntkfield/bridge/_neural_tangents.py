"""The one place that imports neural-tangents.

neural-tangents 0.6.5, its last release, was written for JAX 0.5. It runs on the JAX that this package declares once the
names that JAX has moved since are where it looks for them, which they are while it is being imported and not after. Its
implementations of the empirical NTK that read a program's equations (STRUCTURED_DERIVATIVES, and AUTO, which tries it)
do not: give ``empirical_ntk_fn`` JACOBIAN_CONTRACTION or NTK_VECTOR_PRODUCTS.

Its sub-package ``experimental``, imported with it, is all that needs TensorFlow (2 GB and seconds of import). An empty
module under that name keeps it out; nothing else of neural-tangents looks into it.
"""

import contextlib
import importlib.metadata
import sys
import types
from collections.abc import Iterator

import jax
import jax.core
import jax.extend.core
from jax.interpreters import ad

from ntkfield.extras import needs

WRITTEN_FOR = {"neural-tangents": "0.6.5", "jax": "0.10."}  # versions, by their beginning
_EXPERIMENTAL, _UTIL = "neural_tangents.experimental", "jax.util"
_MOVED = ("Jaxpr", "JaxprEqn", "Literal", "Primitive", "Var")  # from jax.core to jax.extend.core


def _strict_map(function, *items: object) -> list:
    return [function(*row) for row in zip(*items, strict=True)]


def _strict_zip(*items: object) -> list[tuple]:
    return list(zip(*items, strict=True))


@contextlib.contextmanager
def _names_put_back() -> Iterator[None]:
    """What neural-tangents imports, under the names that it had in JAX 0.5."""
    util = types.ModuleType(_UTIL)
    vars(util).update(safe_map=_strict_map, safe_zip=_strict_zip)
    values = [(jax.core, name, getattr(jax.extend.core, name)) for name in _MOVED]
    # A primitive that is never met: neural-tangents only enters it into its table of rules.
    values += [(ad, "zeros_like_p", jax.extend.core.Primitive("zeros_like")), (jax, "util", util)]
    missing = [value for value in values if not hasattr(*value[:2])]
    for module, name, value in missing:
        setattr(module, name, value)
    stands_in = sys.modules.setdefault(_UTIL, util) is util
    try:
        yield
    finally:
        for module, name, _ in missing:
            delattr(module, name)
        if stands_in:
            del sys.modules[_UTIL]


def _check_versions() -> None:
    for package, version in WRITTEN_FOR.items():
        found = importlib.metadata.version(package)
        if not found.startswith(version):
            raise ImportError(f"ntkfield.bridge needs {package} {version.rstrip('.')}, and {found} is installed")


_stands_in = _EXPERIMENTAL not in sys.modules
try:
    with needs("bridge", "ntkfield.bridge"), _names_put_back():
        _check_versions()
        sys.modules.setdefault(_EXPERIMENTAL, types.ModuleType(_EXPERIMENTAL))
        import neural_tangents
        from neural_tangents import Kernel, stax
        from neural_tangents.stax import Bool, Diagonal, layer, requires, supports_masking
except ImportError:
    if _stands_in:
        sys.modules.pop(_EXPERIMENTAL, None)
    raise

__all__ = ["Bool", "Diagonal", "Kernel", "layer", "neural_tangents", "requires", "stax", "supports_masking"]
