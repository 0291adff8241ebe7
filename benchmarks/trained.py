"""What predicting at width n costs: the corrections' growth with training inputs and queries.

    python benchmarks/trained.py [--training 4 8 16] [--queries 50] [--activation gelu] [--rtol 1e-4]
                                 [--draws 65536]

Each row is one `nf.predict` at six times, depth 3, after one that compiles; the last column is what predicting at
infinite width takes from the same data. Nearly all of the rest is quadratures over sets of three and four inputs, or
with draws the recursions, 16 times over.
Seconds are the processor's: on two cores that do nothing else it is over in half of them.
"""

import argparse
import math
import time

import numpy as np

import ntkfield as nf

TIMES = [0.1, 0.5, 1.0, 2.0, 4.0, 8.0]


def seconds(
    network: nf.MLP, training: int, queries: int, width: float | None, rtol: float, draws: int | None = None
) -> tuple[float, str]:
    """Time of one call, and the largest relative error of its corrections."""
    rng = np.random.default_rng(training)
    x, y, where = rng.normal(size=(training, 8)), rng.normal(size=training), rng.normal(size=(queries, 8))
    start = time.process_time()
    found = nf.predict(network, x, y, where, TIMES, width=width, errors=width is not None, rtol=rtol, draws=draws)
    elapsed = time.process_time() - start
    if width is None:
        return elapsed, ""
    errors = [float(found[f"{n}_1_error"].max() / abs(found[f"{n}_1"]).max()) for n in ("mean", "variance")]
    return elapsed, f"{max(errors):.0e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--training", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--activation", default="gelu")
    parser.add_argument("--rtol", type=float, default=1e-4)
    parser.add_argument("--draws", type=int)
    arguments = parser.parse_args()
    network = nf.MLP(depth=3, activation=arguments.activation, weight_variance=1.5, bias_variance=0.1)
    for n in arguments.training:  # programs are compiled for a few numbers of sets
        seconds(network, n, 2, 64, arguments.rtol, arguments.draws)
    print("training  queries  sets of four  seconds  error  infinite width")
    for n in arguments.training:
        sets = math.comb(n, 4) + arguments.queries * math.comb(n, 3)
        elapsed, error = seconds(network, n, arguments.queries, 64, arguments.rtol, arguments.draws)
        seconds(network, n, arguments.queries, None, arguments.rtol)
        limit, _ = seconds(network, n, arguments.queries, None, arguments.rtol)
        print(f"{n:8d}  {arguments.queries:7d}  {sets:12d}  {elapsed:7.1f}  {error}  {limit:14.2f}", flush=True)


if __name__ == "__main__":
    main()
