"""What memory holds: arrays over four positions, and over two with a column for each draw."""

from ntkfield import checks
from ntkfield.finite import tensors as table
from ntkfield.finite.recursion import Plan
from ntkfield.finite.wiring import Wiring
from ntkfield.tensors import KERNELS

MOST_OF_FOUR = 2**32  # bytes of a call: beyond, no machine of today makes their quadratures in minutes either
MOST_OF_TWO = 2**34
ARRAYS = 60  # between all positions: moments of each layer, and what is made of a draw


def check_arrays(plan: Plan, wires: Wiring, m: int) -> None:
    """Refuse what no memory holds of m inputs: twice the tensors at every layer, and the moments of one.

    Raises:
        ValueError: saying how many would fit.
    """
    held = len(set(plan.names) - set(KERNELS))
    positions = max(wires.positions)
    arrays = 2 * held * len(wires.positions) + len(table.moments(plan.names))
    size = 8 * arrays * (m * positions) ** 4
    if held and size > MOST_OF_FOUR:
        most = int((MOST_OF_FOUR / (8 * arrays)) ** 0.25)
        what = "inputs" if positions == 1 else "inputs times positions"
        value = m if positions == 1 else f"{m} x {positions}"
        accepted = f"at most {most} for these tensors: {arrays} arrays of 8 {what}^4 bytes, {size / 2**30:.0f} GiB here"
        accepted += ", or draws, which need none of them but for P to U"
        raise checks.refuse(f"number of {what}", value, accepted)


def check_pairs(m: int, positions: int) -> None:
    """Refuse what no memory holds of m inputs: two-point moments, and some arrays of draws, between all positions.

    Raises:
        ValueError: saying how many would fit.
    """
    size = 8 * ARRAYS * (m * positions) ** 2
    if size > MOST_OF_TWO:
        most = int((MOST_OF_TWO / (8 * ARRAYS)) ** 0.5)
        accepted = f"at most {most}: {ARRAYS} arrays of 8 (inputs times positions)^2 bytes, {size / 2**30:.0f} GiB here"
        raise checks.refuse("number of inputs times positions", f"{m} x {positions}", accepted)
