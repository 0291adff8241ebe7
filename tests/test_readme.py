"""What the README shows must run."""

import re
from pathlib import Path

import numpy as np

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_python_example_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict = {}
    exec(block, names)
    assert names["kernels"].ntk.shape == (3, 9)
    # the estimate that the README calls an error is one: small, and not zero
    assert 0 < np.max(names["error"].ntk / np.max(names["kernels"].ntk)) < 1e-2
    assert names["trained"]["mean"].shape == names["trained"]["variance"].shape == (3, 8)


def test_every_file_it_points_to_exists() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert (Path(__file__).parents[1] / link).exists(), link
