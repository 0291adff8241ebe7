"""What first calls cost: processor seconds and compilations, each chain of calls in a fresh process.

    python benchmarks/compiling.py

The rows of one chain share a process, so that a row shows what its call still has to compile after the rows above it.
Compilations are counted by a listener on JAX's own event; no row includes the import of the library.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable

# The four inputs of arXiv 2508.11522.
INPUTS = [
    [0.6540248765053858, -1.3592788739383235, -0.3791179316445409, 0.34191025226280697],
    [-0.6786403121150224, -0.12161213502515096, 0.21716372787141658, -1.4709063616118982],
    [0.2684047246058049, 0.19352982216329817, -0.18546381464689993, -0.8116446646575691],
    [0.06801939825322936, -0.25387687345791304, -0.8409923450288397, -0.6282339955619969],
]


def finite_width() -> dict[str, Callable[[], object]]:
    import ntkfield as nf

    def network(activation: object) -> nf.MLP:
        return nf.MLP(4, activation, 1.98305826, weight_rate=1.0, bias_rate=0.0)

    return {
        "finite_width, gelu, 4 inputs, depth 4, all tensors": lambda: nf.finite_width(network("gelu"), INPUTS),
        "  then tanh": lambda: nf.finite_width(network("tanh"), INPUTS),
        "  then V alone, rtol 1e-8, gelu": lambda: nf.finite_width(network("gelu"), INPUTS, "V", 1e-8),
        "  then V alone, rtol 1e-8, tanh": lambda: nf.finite_width(network("tanh"), INPUTS, "V", 1e-8),
        "  then relu": lambda: nf.finite_width(network("relu"), INPUTS),
        "  then leaky relu": lambda: nf.finite_width(network({"name": "leaky_relu", "slope": 0.1}), INPUTS),
        "  then another slope": lambda: nf.finite_width(network({"name": "leaky_relu", "slope": 0.2}), INPUTS),
        "  then gelu again": lambda: nf.finite_width(network("gelu"), INPUTS),
    }


def so3_kernel() -> dict[str, Callable[[], object]]:
    from ase.build import molecule

    import ntkfield as nf
    from ntkfield.signals.molecules import atom_signals

    network = nf.GroupCNN("so3", depth=2, activation="gelu", bandlimit=6, quadrature=8)
    water, ethanol = (atom_signals(molecule(name)) for name in ("H2O", "CH3CH2OH"))
    return {
        "first SO(3) kernel of two molecules' atoms": lambda: network.kernel(water, ethanol).ntk.block_until_ready(),
        "  then the other way round": lambda: network.kernel(ethanol, water).ntk.block_until_ready(),
    }


def measure(chain: Callable[[], dict[str, Callable[[], object]]]) -> None:
    import jax

    compiled = []
    calls = chain()

    def listen(event: str, seconds: float, **_: object) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(seconds)

    jax.monitoring.register_event_duration_secs_listener(listen)
    for label, call in calls.items():
        start, wall, before = time.process_time(), time.perf_counter(), len(compiled)
        call()
        spent, passed = time.process_time() - start, time.perf_counter() - wall
        print(f"{label:52s} {spent:7.2f} {passed:7.2f} {len(compiled) - before:6d}", flush=True)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print(f"{'':52s} {'CPU s':>7s} {'wall s':>7s} {'compilations':>6s}", flush=True)
    for chain in (finite_width, so3_kernel):
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(chain,))
        process.start()
        process.join()
