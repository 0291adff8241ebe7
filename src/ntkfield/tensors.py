r"""What each first-order tensor is: one table for all that compute, sample, draw or plan them.

Definitions at layer :math:`\ell`, subscripts in the order of the array's axes; all but K and Theta multiply
:math:`1/n_{\ell-1}`:

- :math:`E[zz] = K + K1/n`, :math:`E[\hat\Theta] = \Theta + \Theta1/n`
- :math:`E^c[z_1 z_2 z_3 z_4] = \frac1n[\delta_{12}\delta_{34} V_{1234} + \dots]`
- :math:`E^c[z_1, z_2, \hat\Theta_{34}] = \frac1n[\delta_{12}\delta_{34} D_{1234} + \delta_{13}\delta_{24} F_{1324} + \delta_{14}\delta_{23} F_{1423}]`
- :math:`E^c[\hat\Theta_{12}, \hat\Theta_{34}] = \frac1n[\delta_{12}\delta_{34} A_{1234} + \delta_{13}\delta_{24} B_{1324} + \delta_{14}\delta_{23} B_{1423}]`
- :math:`E^c[d\hat\Theta_{012}, z_3] = \frac1n[\delta_{03}\delta_{12} P_{0123} + \delta_{01}\delta_{23} Q_{0123} + \delta_{02}\delta_{13} Q_{0213}]`
- :math:`E[dd_I\hat\Theta_{0123}] = \frac1n[\delta_{01}\delta_{23} R_{0123} + \delta_{02}\delta_{31} R_{0231} + \delta_{03}\delta_{12} R_{0312}]`
- :math:`E[dd_{II}\hat\Theta_{1234}] = \frac1n[\delta_{12}\delta_{34} S_{1234} + \delta_{13}\delta_{24} T_{1324} + \delta_{14}\delta_{23} U_{1423}]`

Source: Guillen, Misof and Gerken, arXiv 2508.11522; Roberts, Yaida and Hanin (2022).
"""  # noqa: E501

# The workflow imports this module in every one of its processes: it imports nothing that takes time.
from typing import NamedTuple

Axes = tuple[int, ...]


class Tensor(NamedTuple):
    """One tensor.

    Attributes:
        meaning: in words, lower case.
        subscripts: labels of the inputs in the order of the array's axes: "1324" for F.
        externals: what it is a cumulant of, each a kind (:mod:`ntkfield.diagrams.tensors`) and the axes of its outputs.
        pairs: axes whose channels a Kronecker delta makes equal; their legs are tied to one channel of the layer below.
        symmetries: permutations of the axes that leave it unchanged and generate all that do.
        order: power of 1/n that multiplies it.
    """

    meaning: str
    subscripts: str
    externals: tuple[tuple[str, Axes], ...]
    pairs: tuple[tuple[int, int], ...]
    symmetries: tuple[Axes, ...]
    order: int


_ONE, _TWO = ((0, 1),), ((0, 1), (2, 3))
_WITHIN, _ACROSS, _BOTH = (1, 0, 2, 3), (2, 3, 0, 1), (1, 0, 3, 2)  # of one pair; of the two pairs; of each pair
_ZZ, _NTK = (("z", (0,)), ("z", (1,))), (("Theta", (0, 1)),)

TENSORS = {
    "K": Tensor("NNGP kernel at infinite width", "12", _ZZ, _ONE, ((1, 0),), 0),
    "Theta": Tensor("NTK at infinite width", "12", _NTK, _ONE, ((1, 0),), 0),
    "K1": Tensor("first correction of the mean NNGP kernel", "12", _ZZ, _ONE, ((1, 0),), 1),
    "Theta1": Tensor("first correction of the mean NTK", "12", _NTK, _ONE, ((1, 0),), 1),
    "V": Tensor(
        "connected four-point function of preactivations",
        "1234",
        (("z", (0,)), ("z", (1,)), ("z", (2,)), ("z", (3,))),
        _TWO,
        (_WITHIN, _ACROSS),
        1,
    ),
    "D": Tensor(
        "covariance of preactivation pairs and NTK, channels paired",
        "1234",
        (("z", (0,)), ("z", (1,)), ("Theta", (2, 3))),
        _TWO,
        (_WITHIN, (0, 1, 3, 2)),
        1,
    ),
    "F": Tensor(
        "covariance of preactivations and NTK, channels crossed",
        "1324",
        (("z", (0,)), ("z", (2,)), ("Theta", (1, 3))),
        _TWO,
        (_ACROSS,),
        1,
    ),
    "A": Tensor(
        "covariance of NTKs, channels paired",
        "1234",
        (("Theta", (0, 1)), ("Theta", (2, 3))),
        _TWO,
        (_WITHIN, _ACROSS),
        1,
    ),
    "B": Tensor(
        "covariance of NTKs, channels crossed",
        "1324",
        (("Theta", (0, 2)), ("Theta", (1, 3))),
        _TWO,
        (_ACROSS, _BOTH),
        1,
    ),
    "P": Tensor(
        "dNTK and preactivation, third index with the differentiated one",
        "0123",
        (("dNTK", (0, 1, 2)), ("z", (3,))),
        ((0, 3), (1, 2)),
        ((0, 2, 1, 3),),
        1,
    ),
    "Q": Tensor(
        "dNTK and preactivation, third index with a contracted one",
        "0123",
        (("dNTK", (0, 1, 2)), ("z", (3,))),
        _TWO,
        (),
        1,
    ),
    "R": Tensor("mean ddNTK of the first kind", "0123", (("ddI", (0, 1, 2, 3)),), _TWO, ((0, 1, 3, 2),), 1),
    "S": Tensor(
        "mean ddNTK of the second kind, indices 12 and 34 paired",
        "1234",
        (("ddII", (0, 1, 2, 3)),),
        _TWO,
        (_BOTH,),
        1,
    ),
    "T": Tensor(
        "mean ddNTK of the second kind, indices 13 and 24 paired",
        "1324",
        (("ddII", (0, 2, 1, 3)),),
        _TWO,
        (_ACROSS,),
        1,
    ),
    "U": Tensor(
        "mean ddNTK of the second kind, indices 14 and 23 paired",
        "1423",
        (("ddII", (0, 2, 3, 1)),),
        _TWO,
        (_ACROSS,),
        1,
    ),
}
NAMES = tuple(TENSORS)
KERNELS = tuple(name for name, tensor in TENSORS.items() if len(tensor.subscripts) == 2)  # arrays [m, m]
LIMITS = tuple(name for name in KERNELS if TENSORS[name].order == 0)
CORRECTIONS = tuple(name for name in KERNELS if name not in LIMITS)  # of their means, in the same order
FLUCTUATIONS = tuple(  # cumulants of preactivations and NTKs, arrays [m, m, m, m]
    name
    for name, tensor in TENSORS.items()
    if name not in KERNELS and {kind for kind, _ in tensor.externals} <= {"z", "Theta"}
)
DIFFERENTIALS = tuple(name for name in TENSORS if name not in KERNELS + FLUCTUATIONS)  # of the NTK's derivatives
SECOND_DERIVATIVES = tuple(name for name in TENSORS if TENSORS[name].externals[0][0] in ("ddI", "ddII"))
