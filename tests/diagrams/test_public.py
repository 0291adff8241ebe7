"""The public entry: errors, LaTeX, pictures, compiled functions."""

from itertools import permutations

import numpy as np
import pytest
import sympy as sp
import xarray as xr
from matplotlib.transforms import Bbox

from ntkfield.activations import activation
from ntkfield.diagrams import (
    FIRST_ORDER,
    ActivationExpectations,
    TrapezoidExpectations,
    codegen,
    cumulant,
    recursion,
)
from ntkfield.diagrams import symbols as sy
from ntkfield.diagrams.expectations import engine
from ntkfield.diagrams.layout import place
from ntkfield.networks import Scales


@pytest.mark.parametrize("name", ["W", "K", "Theta", "K0", "V5", "", None, 3, "theta1"])
def test_unknown_names_are_refused_with_what_is_accepted(name):
    with pytest.raises(ValueError, match=r"recursion name is .*accepted are K1, Theta1, V, D, F") as caught:
        recursion(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(
    ("externals", "order", "words"),
    [
        (["z", "y"], 1, "'y'"),
        ("zz", 1, "'zz'"),
        ([], 1, "non-empty"),
        (["z", "Theta"], 1, "odd number"),
        (["z"] * 6, 1, "order is 1"),
        (["z", "z"], 0, "order is 0"),
        (["z", "z"], 1.0, "order is 1.0"),
    ],
)
def test_bad_cumulants_are_refused(externals, order, words):
    with pytest.raises(ValueError, match="accepted") as caught:
        cumulant(externals, order)
    assert words in str(caught.value)


def test_cumulants_contain_the_named_recursions():
    found = cumulant(["z", "z", "Theta"])
    assert [f.name for f in found] == ["D", "F"]
    assert found["F"].expression == recursion("F").expression
    assert [f.name for f in cumulant(["Theta", "NTK"])] == ["A", "B"]
    assert sorted(f.name for f in cumulant(["dNTK", "z"])) == ["P", "Q"]
    assert sorted(f.name for f in cumulant(["ddII"])) == ["S", "T", "U"]
    assert [f.name for f in cumulant(["z"] * 6, 2)] == ["V6"]
    assert cumulant(["z", "dNTK"])["Q"].shape == recursion("Q").shape


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_latex_has_one_term_per_diagram_and_balanced_brackets(name):
    text = recursion(name).latex()
    assert text.count(r"\\") == len(recursion(name).diagrams) - 1
    assert text.count("{") == text.count("}")
    assert text.count(r"\langle") == text.count(r"\rangle") > 0
    assert recursion(name).latex("expanded").count(r"\left\langle") >= recursion(name).integrals[1]


def test_latex_of_f_reads_as_in_the_literature():
    assert recursion("F").latex().splitlines()[1:3] == [
        r"\bigl[F_{1324}\bigr]^{(\ell+1)} &= C_W^{2} \Theta_{34} "
        r"\langle \sigma_{1}\sigma'_{3}\sigma_{2}\sigma'_{4}\rangle \\",
        r"&\quad + r C_W^{2} \sum_{\beta} F_{\beta_{1} 3 \beta_{2} 4} \langle \partial_{\beta_{1}}"
        r"(\sigma_{1}\sigma'_{3})\rangle \langle \partial_{\beta_{2}}(\sigma_{2}\sigma'_{4})\rangle",
    ]


def test_reduction_leaves_fewer_integrals():
    for name in FIRST_ORDER:
        before, after = recursion(name).integrals
        assert 0 < after <= before
        assert after < before or name in ("B", "U")  # nothing to merge: each term has integrals of its own


@pytest.mark.parametrize("name", ["K1", "V", "T", "Theta1", "V6"])
def test_pictures_have_a_panel_per_diagram_and_names_that_do_not_collide(name, tmp_path):
    figure = recursion(name).draw()
    assert len(figure.axes) == len(recursion(name).diagrams)
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        boxes = [text.get_window_extent(renderer) for text in axes.texts]
        assert all(Bbox.intersection(a, b) is None for k, a in enumerate(boxes) for b in boxes[:k])
        assert all(axes.get_window_extent(renderer).contains(*box.p0) for box in boxes)
    for kind in ("svg", "pdf", "png"):
        path = tmp_path / f"{name}.{kind}"
        figure.savefig(path)
        assert path.stat().st_size > 5000


def test_one_diagram_alone():
    assert len(recursion("T").draw(12).axes) == 1
    with pytest.raises(ValueError, match="only is 13; accepted is a position from 0 to 12"):
        recursion("T").draw(13)


def test_no_two_blobs_or_vertices_of_a_picture_coincide():
    found = [*map(recursion, (*FIRST_ORDER, "V6", "V8", "K2", "V.1")), *cumulant(["z", "z", "Theta", "Theta"], 2)]
    for diagram in (d for f in found for d in f.diagrams):
        layout = place(diagram)
        points = np.array([*layout.blobs, *layout.vertices, *layout.internals, *layout.ends.values()])
        gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)[np.triu_indices(len(points), 1)]
        assert gaps.min() > 0.3, diagram


def _evaluate(expression, labels, kernel, theta, tensors, moments, numbers):
    """Number of an expression for one assignment of inputs to labels, term by term."""

    def value(e):
        if isinstance(e, sy.Expectation):
            factors = []
            for factor in sp.Mul.make_args(e.args[0]):
                base, power = factor.as_base_exp()
                factors += [(labels[int(base.args[0])], int(base.args[1]))] * int(power)
            factors.sort(key=lambda f: f[1])
            return moments(tuple(k for _, k in factors))[tuple(a for a, _ in factors)]
        name, index = str(e.args[0]), tuple(labels[int(x)] for x in e.args[1:])
        return (theta if name == "Theta" else tensors[name])[index]

    atoms = [e for e in sp.preorder_traversal(expression) if isinstance(e, sy.Expectation | sy.Tensor)]
    return float(expression.xreplace({e: sp.Float(float(value(e)), 17) for e in set(atoms)} | numbers))


class RandomExpectations:
    """Random arrays, symmetric among equal orders: any engine will do to compare code with algebra."""

    def __call__(self, kernel, orders):
        found = []
        for key in orders:
            raw = np.random.default_rng(list(key)).normal(size=(len(kernel),) * len(key))
            same = [p for p in permutations(range(len(key))) if [key[k] for k in p] == list(key)]
            found.append(sum(raw.transpose(p) for p in same))
        return found


@pytest.mark.parametrize("name", ["A", "Theta1", "Q", "T", "V.1"])
def test_compiled_function_equals_the_expression_entry_by_entry(name):
    """Random, fully unsymmetric tensors except for their own symmetries; three inputs, random entries."""
    rng = np.random.default_rng(5)
    m, found, engine = 3, recursion(name), RandomExpectations()
    root, spread = rng.normal(size=(2, m, m))
    kernel, theta = root @ root.T / 3 + 0.3 * np.eye(m), spread @ spread.T
    tensors = {}
    for diagram in found.diagrams:
        for internal in diagram.internals:
            shape = internal.shape
            raw = rng.normal(size=(m,) * (2 * len(shape.pairing)))
            tensors.setdefault(shape.name, sum(raw.transpose(p) for p in shape.symmetries))
    got = found.compile()(kernel, theta, tensors, engine, scales=Scales(1.7, 0.0, 0.6, 0.0), ratio=1.4)
    cache = {}

    def moments(key):
        if key not in cache:
            cache[key] = np.asarray(engine(kernel, [key])[0])
        return cache[key]

    numbers = {sy.C_W: sp.Float(1.7, 17), sy.lambda_W: sp.Float(0.6, 17), sy.r: sp.Float(1.4, 17)}
    assert got.shape == (m,) * len(found.subscripts)
    for _ in range(4):
        index = tuple(rng.integers(m, size=got.ndim))
        labels = dict(zip(found.subscripts, index, strict=True))
        want = _evaluate(found.expression, labels, kernel, theta, tensors, moments, numbers)
        assert float(got[index]) == pytest.approx(want, rel=1e-10)


def test_compiled_function_takes_whatever_becomes_an_array():
    rng, step = np.random.default_rng(2), recursion("F").compile()
    kernel, theta, f = np.eye(2), 1.0 + np.eye(2), rng.normal(size=(2,) * 4)
    want = step(kernel, theta, {"F": f}, "relu")
    axes = ("a1", "a2", "a3", "a4")
    layer = xr.Dataset({"K": (axes[:2], kernel), "Theta": (axes[:2], theta), "F": (axes, f)})
    np.testing.assert_array_equal(step(layer.K, layer.Theta, layer, "relu"), want)
    np.testing.assert_array_equal(step(kernel.tolist(), theta.tolist(), {"F": f.tolist()}, "relu"), want)


def test_compiled_function_refuses_missing_tensors_and_wrong_shapes():
    step, eye = recursion("F").compile(), np.eye(2)
    engine = TrapezoidExpectations(activation("gelu"))
    with pytest.raises(ValueError, match="tensors lacks 'F'"):
        step(eye, eye, {}, engine)
    with pytest.raises(ValueError, match=r"tensors\['F'\] has shape \(2, 2\)"):
        step(eye, eye, {"F": eye}, engine)
    with pytest.raises(ValueError, match="accepted is one"):
        step(eye, np.eye(3), {"F": np.zeros((2,) * 4)}, engine)
    with pytest.raises(ValueError, match="accepted is one"):
        step(1.0, 1.0, {"F": 1.0}, engine)
    with pytest.raises(ValueError, match=r"tensors\['F'\] = 'F' is refused: expected an array of numbers"):
        step(eye, eye, {"F": "F"}, engine)
    with pytest.raises(ValueError, match="4 distinct inputs was asked for; accepted are at most 3"):
        TrapezoidExpectations(activation("gelu"), nodes=(9, 9, 9))(np.eye(4), [(0, 0, 0, 0)])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "errors"), [("gelu", (1e-10,) * 3), ("tanh", (1e-10, 2e-9, 1e-8))])
def test_default_grid_has_the_documented_error(name, errors):
    """Against the library's other rule, four inputs, largest variance 2."""
    root = np.random.default_rng(1).normal(size=(4, 6))
    kernel, orders = root @ root.T, [(0, 0, 0, 0), (0, 0, 1, 1), (1, 1, 1, 1)]
    kernel *= 2 / kernel.diagonal().max()
    sigma = activation(name)
    pairs = zip(
        TrapezoidExpectations(sigma)(kernel, orders), ActivationExpectations(sigma, 56)(kernel, orders), strict=True
    )
    for error, (found, exact) in zip(errors, pairs, strict=True):
        assert 0 < float(abs(found - exact).max() / abs(exact).max()) < error


def test_the_default_engine_refines_itself_and_agrees_with_its_witness():
    """Two, four and six factors; no two inputs alike."""
    root = np.random.default_rng(2).normal(size=(2, 3))
    kernel, orders = root @ root.T / 3, [(0, 2), (1, 1), (0, 0, 0, 0), (1, 0, 2, 1), (0, 0, 0, 0, 0, 0)]
    ours, witness = engine("tanh")(kernel, orders), TrapezoidExpectations(activation("tanh"))(kernel, orders)
    for found, expected in zip(ours, witness, strict=True):
        assert float(abs(found - expected).max()) <= 1e-9 * float(abs(expected).max())  # rtol
    with pytest.warns(RuntimeWarning, match="rtol = 1e-30 is not met"):
        ActivationExpectations(activation("tanh"), rtol=1e-30)(kernel, [(0, 0, 0, 0)])


def test_too_many_terms_are_not_compiled(monkeypatch):
    monkeypatch.setattr(codegen, "MAX_TERMS", 3)
    with pytest.raises(ValueError, match=r"F has 5 terms; accepted for compilation are at most 3 .*Components"):
        codegen.compile_polynomial("F", recursion("F").polynomial, (1, 3, 2, 4))


def test_quadrature_against_closed_forms():
    """Moments of z and of z^2 for a singular covariance as well: ⟨z_a^2 z_b^2⟩ = K_aa K_bb + 2 K_ab²."""
    square = TrapezoidExpectations(lambda z: z**2)
    for kernel in (np.array([[1.3, 0.4], [0.4, 0.7]]), np.ones((2, 2))):
        got, ones = square(kernel, [(0, 0), (2, 0)])
        want = np.outer(np.diag(kernel), np.diag(kernel)) + 2 * kernel**2
        np.testing.assert_allclose(got, want, rtol=1e-9)
        np.testing.assert_allclose(ones, np.tile(2 * np.diag(kernel), (2, 1)), rtol=1e-9)
