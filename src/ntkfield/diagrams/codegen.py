"""Code generation: a polynomial of tensors and expectations becomes one JAX function over all inputs at once.

The generated function reads every array through open-mesh indices, so that ``V[a, a, c, d]`` has one entry for every
value of the output indices and a recursion is written once, without loops over components. Products of expectations
that multiply the same tensor are summed first; XLA shares the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import jax
import jax.numpy as jnp

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.gaussian.expectations import Expectations, Orders
from ntkfield.networks.base import Scales

from .algebra import Gauss, Polynomial, integrals
from .expectations import ask
from .legs import Ties
from .steps import checked_reads, over_steps

MAX_TERMS = 10_000
UNIT = Scales(weight_variance=1.0, bias_variance=0.0, weight_rate=1.0, bias_rate=0.0)
_LETTERS = "abcdefghijklmnop"


def _orders(gauss: Gauss) -> Orders:
    return tuple(order for order, _ in sorted((order, label) for label, order in gauss))


def _indices(gauss: Gauss) -> tuple[int, ...]:
    return tuple(label for _, label in sorted((order, label) for label, order in gauss))


@dataclass(frozen=True)
class CompiledRecursion:
    """One step of a recursion as a function of arrays.

    ``source`` is the generated Python text, ``moments`` the derivative orders of the expectations it needs and
    ``needs`` the names of the tensors of the layer below. ``ties`` are the axes that share a step of the filter, where
    ``layer`` is not dense.
    """

    name: str
    source: str
    moments: tuple[Orders, ...]
    needs: tuple[str, ...]
    rank: int
    _ranks: Mapping[str, int] = field(repr=False, compare=False)
    layer: str = field(default="dense", compare=False)  # the program is the same, and so compiled once
    ties: Ties = field(default=(), compare=False)

    @cached_property
    def function(self) -> Callable:
        """The generated function ``(moment, tensor, C_W, lambda_W, r, rho, m) -> array``."""
        scope: dict = {"jnp": jnp}
        exec(compile(self.source, f"<recursion {self.name}>", "exec"), scope)
        return scope["step"]

    def __call__(
        self,
        kernel: jax.Array,
        theta: jax.Array,
        tensors: Mapping[str, jax.Array],
        expectation: Expectations | Activation | str | Mapping,
        *,
        scales: Scales = UNIT,
        ratio: float = 1.0,
        rho: float = 1.0,
        reads: object = None,
    ) -> jax.Array:
        r"""Tensor of layer l+1 with one axis of length m per subscript.

        kernel, theta : [m, m], infinite-width K and Θ of layer l.
        tensors : the tensors ``needs`` names, one axis per subscript: a mapping, or one layer of the dataset of
            ``nf.finite_width``. Whatever becomes an array is one; labels of axes are not read.
        expectation : an activation, ``"relu"`` or as ``nf.activation`` accepts it, or an engine for ⟨Π σ^(k)⟩
            (:class:`ntkfield.gaussian.expectations.Expectations`).
        scales : variances and rates, ``nf.MLP(...).scales``.  ratio : r = n_l / n_(l-1).
        rho : of orthogonal weights, min(1, n_l / n_(l+1)); 0 where the layer's weights are Gaussian.
        reads : [legs, steps], of a convolution or of pooled channels, whose kernels and tensors have a row for each
            position of each input: the row that each step reaches from each leg, or -1 at a zero padding. Over a finite
            group these are ``group.products`` (with \|G\| times its number added for each further input); of pooled
            channels all rows of an input, for each input. The result's axes are then of that many legs.

        A missing tensor, a wrong shape, or an activation whose kink makes the tensor infinite raises ValueError.
        """
        kernel, theta = _array("kernel", kernel), _array("theta", theta)
        held = {name: _array(f"tensors[{name!r}]", tensors[name]) for name in self.needs if name in tensors}
        self.check(kernel, theta, held)
        steps = None if reads is None and not self.ties else checked_reads(self.layer, reads, len(kernel))
        moments = ask(expectation, kernel, {self.name: self.moments})
        array = evaluate(self, moments, held | {"Theta": theta}, scales, ratio, rho)
        return array if steps is None else over_steps(array, self.ties, steps)

    def check(self, kernel: jax.Array, theta: jax.Array, tensors: Mapping[str, jax.Array]) -> None:
        """Refuse missing tensors and wrong shapes with one sentence."""
        m = len(kernel) if kernel.ndim else 0
        if kernel.shape != (m, m) or theta.shape != (m, m):
            raise ValueError(
                f"kernel and theta have shapes {kernel.shape} and {theta.shape}; accepted is one [m, m] for both."
            )
        for name in self.needs:
            if name not in tensors:
                raise ValueError(f"tensors lacks {name!r}; accepted is a mapping with {', '.join(self.needs)}.")
            if tensors[name].shape != (m,) * self._ranks[name]:
                raise ValueError(
                    f"tensors[{name!r}] has shape {tensors[name].shape}; "
                    f"accepted is {(m,) * self._ranks[name]} for {m} inputs."
                )


def _array(field: str, value: object) -> jax.Array:
    try:
        return jnp.asarray(value, jnp.float64)
    except (TypeError, ValueError):
        raise checks.refuse(field, value, "an array of numbers") from None


def evaluate(
    compiled: CompiledRecursion, moments: dict, tensors: dict, scales: Scales, ratio: float, rho: float
) -> jax.Array:
    """Run a compiled step on expectations (by derivative orders) and tensors that are already at hand."""
    keys = tuple(moments)
    return _jitted(compiled, keys, tuple(moments.values()), tensors, scales, ratio, rho)


def _plain(compiled, keys, values, tensors, scales, ratio, rho):
    moment = dict(zip(keys, values, strict=True))
    c, rate, m = scales.weight_variance, scales.weight_rate, tensors["Theta"].shape[0]
    return compiled.function(moment, tensors, c, rate, ratio, rho, m)


_jitted = jax.jit(_plain, static_argnums=(0, 1))


def compile_polynomial(name: str, polynomial: Polynomial, output: Sequence[int]) -> CompiledRecursion:
    """Generate the function whose array has one axis per label of ``output``, in that order.

    More than ``MAX_TERMS`` terms raise ValueError: XLA would take minutes, ``Components`` does not.
    """
    if len(polynomial) > MAX_TERMS:
        raise ValueError(
            f"{name} has {len(polynomial)} terms; accepted for compilation are at most {MAX_TERMS} "
            "(evaluate single entries with Components)."
        )
    letter = {label: _LETTERS[k] for k, label in enumerate(output)}
    atoms: dict[tuple, str] = {}
    lines: list[str] = []

    def atom(prefix: str, array: str, labels: tuple[int, ...]) -> str:
        key = (array, labels)
        if key not in atoms:
            atoms[key] = f"{prefix}{len(atoms)}"
            lines.append(f"    {atoms[key]} = {array}[{', '.join(letter[x] for x in labels)}]")
        return atoms[key]

    groups: dict[tuple, list[str]] = {}
    ranks: dict[str, int] = {}
    for key, value in polynomial.items():
        for tensor, labels in key.tensors:
            ranks[tensor] = len(labels)
        held = tuple(atom("t", f"tensor[{tensor!r}]", labels) for tensor, labels in key.tensors)
        gauss = [atom("e", f"moment[{_orders(g)}]", _indices(g)) for g in key.expectations]
        groups.setdefault((key.c, key.l, key.k, key.s, held), []).append("*".join([_number(value), *gauss]))
    moments = tuple(sorted({_orders(g) for g in integrals(polynomial)}))
    rank = len(output)
    body = [
        f"def step(moment, tensor, C_W, lambda_W, r, rho, m):\n    {_doc(name, output)}",
        *(
            f"    {_LETTERS[k]} = jnp.arange(m).reshape({tuple(-1 if j == k else 1 for j in range(rank))})"
            for k in range(rank)
        ),
        *lines,
        f"    out = jnp.zeros((m,) * {rank})",
    ]
    for (c, l, k, s, held), terms in groups.items():
        powers = (("C_W", c), ("lambda_W", l), ("r", k), ("rho", s))
        scale = [f"{base}**{power}" for base, power in powers if power]
        body.append(f"    out = out + {'*'.join([*scale, *held, ''])}({' + '.join(terms)})")
    body.append("    return out\n")
    needs = tuple(sorted(set(ranks) - {"Theta"}))
    return CompiledRecursion(name, "\n".join(body), moments, needs, rank, _Ranks(ranks))


class _Ranks(dict):
    """A dictionary that hashes by identity, so that its owner can be a static argument."""

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]  # dict declares that it has no hash


def _number(value: Fraction) -> str:
    return f"({value.numerator}/{value.denominator})" if value.denominator > 1 else f"({value.numerator})"


def _doc(name: str, output: Sequence[int]) -> str:
    return f'"""{name} with subscripts {", ".join(map(str, output))} on axes {", ".join(_LETTERS[: len(output)])}."""'
