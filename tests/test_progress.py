"""Long work is shown on a terminal and told in a log, in few lines."""

import logging
import re

import numpy as np
import pytest

import ntkfield as nf
from ntkfield import progress


def test_a_log_gets_a_line_every_tenth_and_no_bar(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    inputs = np.array([[0.6, -1.4], [-0.7, 0.3]])
    with caplog.at_level(logging.INFO, "ntkfield"):
        nf.sample_statistics(nf.MLP(2, "relu", 2.0), inputs, 4, 40 * 8, 0, ["K"], batch=8)
    tenths = [f"320 networks of width 4: {10 * k} %" for k in range(1, 10)]
    said = [record.getMessage() for record in caplog.records if record.name == "ntkfield"]
    assert [line.partition(",")[0] for line in said] == tenths
    assert all(re.fullmatch(r"\d+ s left", line.partition(", ")[2]) for line in said)
    assert capfd.readouterr().err == ""


def told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> list[str]:
    """What is logged of work whose items take that many seconds each."""
    clock = iter(np.cumsum([0.0, 0.0, *seconds]))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO, "ntkfield"):
        list(progress.track(seconds, "tiles"))
    return [record.getMessage() for record in caplog.records]


def test_the_time_left_is_that_of_the_items_to_come(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(caplog, monkeypatch, [1800.0] * 4) == [
        "tiles: 25 %, 90 min left",
        "tiles: 50 %, 60 min left",
        "tiles: 75 %, 30 min left",
    ]


def test_slow_work_is_told_of_between_tenths_but_not_more_than_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = told(caplog, monkeypatch, [40.0] * 100)
    assert lines[:2] == ["tiles: 2 %, 65 min left", "tiles: 4 %, 64 min left"]
    assert len(lines) == 49


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "0 s"), (99.4, "99 s"), (99.6, "2 min"), (7200.0, "2.0 h")])
def test_a_duration_has_the_unit_that_fits(seconds: float, said: str) -> None:
    assert progress.duration(seconds) == said
