import jax.numpy as jnp
import numpy as np
import pytest

from ntkfield import checks

NUMBERS = {checks.finite: "a finite number$", checks.positive: "above 0$", checks.non_negative: "0 or above$"}


@pytest.mark.parametrize("check", NUMBERS)
class TestNumbers:
    @pytest.mark.parametrize("value", [1, 2.5, np.float32(0.5), np.int64(3), "1.5", jnp.asarray(2.0)])
    def test_numbers_become_floats(self, check, value):
        assert check("field", value) == float(value)
        assert type(check("field", value)) is float

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, None, "much", True, [1.0, 2.0], 1j])
    def test_others_are_refused(self, check, value):
        with pytest.raises(ValueError, match=rf"^field = .* is refused: expected .*{NUMBERS[check]}"):
            check("field", value)


def test_signs():
    assert checks.finite("x", -1) == -1
    assert checks.non_negative("x", 0) == 0
    for check, value in ((checks.positive, 0), (checks.positive, -1e-300), (checks.non_negative, -1e-300)):
        with pytest.raises(ValueError, match=rf"^x = {value} is refused: expected a finite number.* {NUMBERS[check]}"):
            check("x", value)


def test_whole_numbers():
    assert checks.whole("n", np.int32(3), 3) == 3
    assert type(checks.whole("n", np.int32(3), 3)) is int
    for value in (2, 3.0, "3", None, True, np.nan):
        with pytest.raises(ValueError, match=rf"^n = {value!r} is refused: expected a whole number, 3 or above$"):
            checks.whole("n", value, 3)


class TestArrays:
    @pytest.mark.parametrize("value", [[[1, 2]], np.ones((1, 2), np.float32), jnp.ones((1, 2))])
    def test_real_arrays_become_float64(self, value):
        found = checks.array("x", value, "n, d")
        assert isinstance(found, np.ndarray)
        assert found.dtype == np.float64
        assert found.shape == (1, 2)

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (np.ones(2), r"x of shape = \(2,\) is refused: expected an array of rank 2, \[n, d\]"),
            (1.0, r"x of shape = \(\) is refused: expected an array of rank 2"),
            (np.ones((2, 0)), r"x of shape = \(2, 0\) is refused: expected no axis of length 0"),
            ([[1.0, 2.0], [np.inf, 0.0]], r"x\[1, 0\] = inf is refused: expected finite numbers only"),
            ([[1j]], r"x = \[\[1j\]\] is refused: expected a real array \[n, d\]"),
            ([["a"]], r"x = \[\['a'\]\] is refused: expected a real array \[n, d\]"),
            ([[1.0], [1.0, 2.0]], r"x = .* is refused: expected a real array \[n, d\]"),
        ],
    )
    def test_others_are_refused(self, value, message):
        with pytest.raises(ValueError, match=f"^{message}"):
            checks.array("x", value, "n, d")


def test_a_refusal_is_one_short_line():
    for value in (np.ones((30, 30)), "long " * 100, {"key": list(range(1000))}):
        message = str(checks.refuse("field", value, "something else"))
        assert message.startswith("field = ")
        assert message.endswith(" is refused: expected something else")
        assert "\n" not in message
        assert len(message) < 150
