"""The criticality study says of its activation what the theory's curves show."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import ntkfield as nf
from ntkfield.figures import criticality

Theory = dict[float, xr.Dataset]
LAYERS = np.arange(1, 17)


def theory(activation: str, curves: dict[float, np.ndarray], bias_variance: float = 0.0) -> Theory:
    """For each weight variance one curve for all tensors; K_01 adds it to ReLU's fixed point, K_00 = K_11 = 2.25."""
    try:
        known = nf.critical_initialization(activation)._asdict()
    except ValueError:
        known = {}
    attrs = {"activation": activation, "bias_variance": bias_variance}
    attrs |= {f"critical_{key}": value for key, value in known.items() if value is not None}
    found = {}
    for variance, curve in curves.items():
        star = 2.25 if (activation, variance) == ("relu", 2.0) else 0.0
        k = np.where(np.eye(2), 2.25, star + curve[:, None, None])
        data = {
            "K": (("layer", "a1", "a2"), k),
            "Theta": (("layer", "a1", "a2"), np.ones((2, 2)) * curve[:, None, None]),
        }
        for name in "VDFAB":
            data[name] = ("layer", "a1", "a2", "a3", "a4"), np.ones((2,) * 4) * curve[:, None, None, None, None]
        found[variance] = xr.Dataset(data, coords={"layer": LAYERS}, attrs=attrs)
    return found


def sampled(theories: Theory) -> Theory:
    """Samples that agree with theory."""
    found = {}
    for variance, one in theories.items():
        at = one.sel(layer=[2, 16]).rename(layer="depth")
        errors = {f"{name}_error": 0.1 * abs(at[name]) for name in at.data_vars}
        found[variance] = at.assign(errors).assign_attrs(width=100)
    return found


def title(theories: Theory) -> str:
    figure = criticality.depth(theories, sampled(theories))
    written = figure.get_suptitle()
    plt.close(figure)
    return written


@pytest.mark.parametrize(
    ("activation", "bias_variance", "variances", "critical"),
    [
        ("relu", 0.0, [0.25, 2.0, 4.0], 2.0),
        ("relu", 0.1, [2.0], None),  # with biases the variance grows
        ("tanh", 0.0, [0.5, 1.0, 2.0], 1.0),
        ("erf", 0.0, [0.5, 0.785398], 0.785398),  # pi / 4, in the digits of a config
        ("gelu", 0.17292239, [1.98305826], 1.98305826),
        ("gelu", 0.0, [1.98305826], None),  # critical with biases alone
        ("cos", 0.0, [1.0, 2.0], None),
    ],
)
def test_the_critical_value_is_that_of_the_activation(
    activation: str, bias_variance: float, variances: list[float], critical: float | None
) -> None:
    found = theory(activation, {variance: LAYERS**1.0 for variance in variances}, bias_variance)
    assert criticality.critical_variance(found) == critical


def test_powers_and_exponentials_are_told_apart() -> None:
    found = theory("relu", {0.5: 0.25**LAYERS, 2.0: 3.0 * LAYERS**2, 4.0: LAYERS * 2.0**LAYERS})
    laws = criticality.growth(found)
    assert laws.loc[(0.5, "V"), "factor_per_layer"] == pytest.approx(0.25, rel=1e-9)
    assert laws.loc[0.5, "law"].tolist() == ["exponential"] * 7
    assert laws.loc[(2.0, "V"), "power_of_depth"] == pytest.approx(2, rel=1e-9)
    assert laws.loc[2.0, "law"].tolist() == ["power"] * 7
    # l 2^l is no pure exponential, but nearer to one than to a power
    assert laws.loc[(4.0, "V"), "law"] == "exponential"


def test_the_title_names_the_activation_and_claims_what_the_curves_show() -> None:
    off = {0.5: 0.25**LAYERS, 2.0: 2.0**LAYERS}
    claim = "tanh networks: a power of the depth at the critical weight variance 1, exponential off it"
    assert title(theory("tanh", off | {1.0: LAYERS**-1.0})) == claim
    # the same networks, were they to decay exponentially at the critical value
    assert (
        title(theory("tanh", off | {1.0: 0.5**LAYERS}))
        == "tanh networks against depth: critical at C_W = 1 with C_b = 0"
    )
    assert "C_W = 1 with C_b = 0, which is not drawn (here C_b = 0)" in title(theory("tanh", off))
    assert title(theory("cos", off)) == "cos networks against depth: no critical initialisation"


def test_a_finding_tells_powers_where_there_are_powers() -> None:
    curves = {1.0: LAYERS**-1.0, 2.0: 2.0**LAYERS}
    found = theory("tanh", curves)
    said = criticality.finding(found, sampled(found))
    assert "tanh networks: critical at C_W = 1 with C_b = 0." in said
    assert "there is -1.00 for Θ," in said
    assert "7 of 7 are within three standard errors" in said
    found = theory("cos", curves)
    said = criticality.finding(found, sampled(found))
    assert "cos networks: no critical initialisation." in said
    assert "The power of the depth" not in said
    assert "exponentials (7 of 7) at C_W = 2" in said


def test_the_kernel_is_drawn_from_its_fixed_point_where_it_has_one() -> None:
    found = theory("relu", {2.0: LAYERS**-1.0, 4.0: LAYERS**-1.0})
    # K_01 - 2.25 = 1/l at the critical variance, K_01 = 1/l off it
    for variance in (2.0, 4.0):
        assert criticality.growth(found).loc[(variance, "K"), "power_of_depth"] == pytest.approx(-1, rel=1e-9)
    figure = criticality.depth(found, sampled(found))
    assert "K_{01}-K^*" in figure.axes[1].get_title()
    plt.close(figure)


def test_any_number_of_weight_variances_is_drawn() -> None:
    found = theory("relu", {float(k): LAYERS**1.0 for k in range(1, 13)})
    figure = criticality.depth(found, sampled(found))
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == len(LAYERS)]
    assert len(lines) == 12
    plt.close(figure)
