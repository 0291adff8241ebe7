r"""What each first-order tensor is, which others its recursion needs, and which four-point moments.

Definitions at layer :math:`\ell`, indices in the order of the array's axes; all multiply :math:`1/n_{\ell-1}`:

- :math:`E[zz] = K + K1/n`, :math:`E[\hat\Theta] = \Theta + \Theta1/n`
- :math:`E^c[z_1 z_2 z_3 z_4] = \frac1n[\delta_{12}\delta_{34} V_{1234} + \dots]`
- :math:`E^c[z_1, z_2, \hat\Theta_{34}] = \frac1n[\delta_{12}\delta_{34} D_{1234} + \delta_{13}\delta_{24} F_{1324} + \delta_{14}\delta_{23} F_{1423}]`
- :math:`E^c[\hat\Theta_{12}, \hat\Theta_{34}] = \frac1n[\delta_{12}\delta_{34} A_{1234} + \delta_{13}\delta_{24} B_{1324} + \delta_{14}\delta_{23} B_{1423}]`
- :math:`E^c[d\hat\Theta_{012}, z_3] = \frac1n[\delta_{03}\delta_{12} P_{0123} + \delta_{01}\delta_{23} Q_{0123} + \delta_{02}\delta_{13} Q_{0213}]`
- :math:`E[dd_I\hat\Theta_{0123}] = \frac1n[\delta_{01}\delta_{23} R_{0123} + \delta_{02}\delta_{31} R_{0231} + \delta_{03}\delta_{12} R_{0312}]`
- :math:`E[dd_{II}\hat\Theta_{1234}] = \frac1n[\delta_{12}\delta_{34} S_{1234} + \delta_{13}\delta_{24} T_{1324} + \delta_{14}\delta_{23} U_{1423}]`

Source: Guillen, Misof and Gerken, arXiv 2508.11522; Roberts, Yaida and Hanin (2022).
"""  # noqa: E501

from typing import NamedTuple

from ntkfield import checks


class Tensor(NamedTuple):
    """One tensor: its meaning, the tensors and the moments its recursion reads, and its natural size.

    `size` holds the powers of the largest K and of the largest Theta that give the tensor its order of magnitude.
    """

    meaning: str
    needs: tuple[str, ...]
    moments: tuple[str, ...]
    size: tuple[int, int]


TENSORS = {
    "K": Tensor("NNGP kernel at infinite width", (), (), (1, 0)),
    "Theta": Tensor("NTK at infinite width", (), (), (0, 1)),
    "K1": Tensor("first correction of the mean NNGP kernel", ("V",), (), (1, 0)),
    "Theta1": Tensor("first correction of the mean NTK", ("K1", "V", "D", "F"), (), (0, 1)),
    "V": Tensor("connected four-point function of preactivations", (), ("0000",), (2, 0)),
    "D": Tensor("covariance of preactivation pairs and NTK, channels paired", ("V",), ("0000", "0011"), (1, 1)),
    "F": Tensor("covariance of preactivations and NTK, channels crossed", (), ("0011",), (1, 1)),
    "A": Tensor("covariance of NTKs, channels paired", ("V", "D"), ("0000", "0011", "1111"), (0, 2)),
    "B": Tensor("covariance of NTKs, channels crossed", (), ("1111",), (0, 2)),
    "P": Tensor("dNTK and preactivation, third index with the differentiated one", ("B",), ("0112",), (0, 2)),
    "Q": Tensor("dNTK and preactivation, third index with a contracted one", ("F",), ("0011", "0112"), (0, 2)),
    "R": Tensor("mean ddNTK of the first kind", ("B", "P"), ("0112", "1113"), (-1, 3)),
    "S": Tensor("mean ddNTK of the second kind, indices 12 and 34 paired", ("B",), ("1111", "1122"), (-1, 3)),
    "T": Tensor(
        "mean ddNTK of the second kind, indices 13 and 24 paired", ("F", "Q"), ("0011", "0112", "1122"), (-1, 3)
    ),
    "U": Tensor("mean ddNTK of the second kind, indices 14 and 23 paired", (), ("1122",), (-1, 3)),
}
PAIRS = ("K", "Theta", "K1", "Theta1")
SECOND_DERIVATIVES = ("R", "S", "T", "U")  # two factors sigma'' at equal inputs: infinite at a kink


def wanted(tensors: object) -> tuple[str, ...]:
    """The names asked for, in the table's order; all of them for None."""
    if tensors is None:
        return tuple(TENSORS)
    names = (tensors,) if isinstance(tensors, str) else tuple(tensors)
    for name in names:
        if name not in TENSORS:
            raise checks.refuse("tensors", name, f"names among {', '.join(TENSORS)}")
    return tuple(name for name in TENSORS if name in names)


def closure(names: tuple[str, ...]) -> tuple[str, ...]:
    """`names` and all that their recursions need, in the table's order; K and Theta always."""
    found: set[str] = set()
    open_ = ["K", "Theta", *names]
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += TENSORS[name].needs
    return tuple(name for name in TENSORS if name in found)


def moments(names: tuple[str, ...]) -> tuple[str, ...]:
    """The four-point moments that the recursions of `names` read."""
    return tuple(sorted({moment for name in names for moment in TENSORS[name].moments}))
