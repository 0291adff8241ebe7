r"""A hidden matrix of infinite width, revealed only along the directions that a course of training takes.

Between two layers of S sites stands :math:`W_0`, S x S independent normals of variance :math:`C_W`. A flow reads it
only through :math:`W_0\varphi/\sqrt S` for activations and :math:`W_0^T g/\sqrt S` for gradients. With orthonormal
directions Q of activations and G of gradients, :math:`\langle qq\rangle = 1` in the mean over sites, it is known as

.. math:: F = W_0 Q/\sqrt S, \qquad B = W_0^T G/\sqrt S,

and a new direction q finds what the known ones imply and is otherwise fresh (Bolthausen's conditioning,
arXiv 1201.2891),

.. math:: F_q = G\langle B q\rangle + \sqrt{C_W}\,(1 - GG^T/S)\,\varepsilon,

likewise :math:`B_g = Q\langle F g\rangle + \sqrt{C_W}(1 - QQ^T/S)\varepsilon`. The means :math:`\langle Bq\rangle`,
:math:`\langle Fg\rangle` are the response functions of dynamical mean-field theory (Bordelon and Pehlevan,
arXiv 2205.09653), with their part at equal times and what kinks add. With independent :math:`\varepsilon` and every
direction kept, it is the law of a network of width S. Cost of a product: S sites times R directions; memory 4 R S.
"""

import numpy as np

from ntkfield.dynamics.normals import DIRECTIONS, Normals, exhausted


class Side:
    """Directions on one side of the matrix, and what the matrix makes of those of the other side."""

    def __init__(self, sites: int, normals: Normals) -> None:
        """Take the number of sites and the numbers of this side's layer."""
        room = min(DIRECTIONS, sites)
        # Pages that no direction has reached take no memory.
        self._directions, self._images = np.empty((room, sites)), np.empty((room, sites))
        self._count, self._known, self.normals, self.sites = 0, 0, normals, sites

    @property
    def directions(self) -> np.ndarray:
        """Orthonormal rows [R, S]."""
        return self._directions[: self._count]

    @property
    def images(self) -> np.ndarray:
        """The other side's directions as the matrix carries them here, rows [R', S]."""
        return self._images[: self._known]

    def products(self, v: np.ndarray) -> np.ndarray:
        """Means over sites of rows [..., S] times each direction [..., R]."""
        return v @ self.directions.T / self.sites

    def append(self, direction: np.ndarray) -> None:
        """Keep a direction.

        Raises:
            ValueError: if there is no room for it.
        """
        if self._count == len(self._directions):
            raise exhausted()
        self._directions[self._count] = direction
        self._count += 1

    def receive(self, image: np.ndarray) -> None:
        """Keep the image of the other side's newest direction."""
        self._images[self._known] = image
        self._known += 1


class Hidden:
    """The matrix between two layers."""

    def __init__(self, variance: float, before: Normals, after: Normals, sites: int, tolerance: float) -> None:
        """Take its variance, the numbers of both layers, S, and the part of a vector that is passed over."""
        self.before, self.after = Side(sites, before), Side(sites, after)
        self._root, self._tolerance = variance**0.5, tolerance

    @property
    def room(self) -> int:
        """How many directions there may be on either side."""
        return min(DIRECTIONS, self.before.sites)

    def forward(self, activations: np.ndarray) -> np.ndarray:
        """Coefficients of activations [m, S] in the directions before the matrix [m, R], new ones made."""
        return self._span(self.before, self.after, activations)

    def backward(self, gradients: np.ndarray) -> np.ndarray:
        """Coefficients of gradients [m, S] in the directions behind the matrix [m, R'], new ones made."""
        return self._span(self.after, self.before, gradients)

    def _span(self, own: Side, other: Side, vectors: np.ndarray) -> np.ndarray:
        coefficients = own.products(vectors)
        square = np.mean(vectors**2, axis=1)
        least = self._tolerance**2 * square
        # A span of all sites leaves nothing but rounding.
        outside = square - np.sum(coefficients**2, axis=1) > least
        if len(own.directions) == own.sites or not outside.any():
            return coefficients
        for vector, smallest in zip(vectors[outside], least[outside], strict=True):
            self._add(own, other, vector, smallest)
        return own.products(vectors)

    def _add(self, own: Side, other: Side, vector: np.ndarray, smallest: float) -> None:
        for _ in range(2):  # once leaves rounding errors as large as the vector, not as what is left of it
            vector = vector - own.products(vector) @ own.directions
        left = np.mean(vector**2)
        if left <= smallest or len(own.directions) == own.sites:
            return
        direction = vector / left**0.5
        implied = own.images @ direction / own.sites
        fresh = other.normals.take()
        fresh = fresh - other.products(fresh) @ other.directions
        own.append(direction)
        other.receive(implied @ other.directions + self._root * fresh)
