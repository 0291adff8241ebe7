"""The one place that imports neural-tangents.

neural-tangents 0.6.5 imports its sub-package ``experimental`` with itself, and only that one needs TensorFlow (2 GB and
seconds of import). An empty module under its name keeps it out; nothing else of neural-tangents looks into it.
"""

import sys
import types

_EXPERIMENTAL = "neural_tangents.experimental"
_stands_in = _EXPERIMENTAL not in sys.modules
sys.modules.setdefault(_EXPERIMENTAL, types.ModuleType(_EXPERIMENTAL))
try:
    import neural_tangents
    from neural_tangents import Kernel, stax
    from neural_tangents.stax import Bool, Diagonal, layer, requires, supports_masking
except ImportError as error:
    if _stands_in:
        del sys.modules[_EXPERIMENTAL]
    raise ImportError(
        "ntkfield.bridge needs neural-tangents 0.6.5 and a JAX that it runs on (0.5.3 is the newest); "
        "envs/README.md says how to install both"
    ) from error

__all__ = ["Bool", "Diagonal", "Kernel", "layer", "neural_tangents", "requires", "stax", "supports_masking"]
