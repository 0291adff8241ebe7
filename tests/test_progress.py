"""Long work is shown on a terminal and told in a log, in few lines."""

import logging

import numpy as np
import pytest

import ntkfield as nf


def test_a_log_gets_a_line_every_tenth_and_no_bar(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    inputs = np.array([[0.6, -1.4], [-0.7, 0.3]])
    with caplog.at_level(logging.INFO, "ntkfield"):
        nf.sample_statistics(nf.MLP(2, "relu", 2.0), inputs, 4, 40 * 8, 0, ["K"], batch=8)
    tenths = [f"320 networks of width 4: {10 * k} %" for k in range(1, 10)]
    assert [record.getMessage() for record in caplog.records if record.name == "ntkfield"] == tenths
    assert capfd.readouterr().err == ""
