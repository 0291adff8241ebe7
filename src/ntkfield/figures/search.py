"""Candidate networks, judged on training molecules alone."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, ORANGE, house_style

KERNELS = {"ntk": ("o", BLUE, "NTK"), "nngp": ("s", ORANGE, "NNGP")}


def best(judged: xr.Dataset) -> xr.Dataset:
    """Each candidate and kernel at the regulariser with the smallest error [candidate, kernel].

    Args:
        judged: as for :func:`plot`.
    """
    place = judged["mean_absolute_error"].argmin("diag_reg")
    return judged.isel(diag_reg=place)


def plot(judged: xr.Dataset) -> Figure:
    """Draw leave-one-out errors and evidence of candidates, the best on top.

    Args:
        judged: as stored by the molecules study: ``mean_absolute_error`` and ``standard_error`` in eV and
            ``log_evidence`` [candidate, kernel, diag_reg].
    """
    chosen = best(judged)
    chosen = chosen.isel(candidate=np.argsort(-chosen["mean_absolute_error"].min("kernel").values))
    rows, count = np.arange(chosen.sizes["candidate"]), judged.attrs["molecules"]
    with house_style():
        figure, (errors, evidence) = plt.subplots(
            1, 2, figsize=(8.6, 1.9 + 0.33 * len(rows)), sharey=True, layout="constrained"
        )
        for kernel, (marker, colour, label) in KERNELS.items():
            one = chosen.sel(kernel=kernel)
            shift = 0.12 if kernel == "ntk" else -0.12
            errors.errorbar(
                1000 * one["mean_absolute_error"],
                rows + shift,
                xerr=1000 * one["standard_error"],
                linestyle="",
                marker=marker,
                color=colour,
                label=label,
                capsize=2.5,
            )
            evidence.plot(one["log_evidence"] / count, rows + shift, linestyle="", marker=marker, color=colour)
        errors.set_yticks(rows, chosen["candidate"].values)
        errors.set_xlabel("leave-one-out error (meV)\n← better")
        evidence.set_xlabel("log evidence per molecule (nats)\nbetter →")
        for axis in (errors, evidence):
            axis.grid(True, axis="y", color="0.92", linewidth=0.8)
        figure.suptitle(f"Candidate networks on {count} molecules set apart, composition fitted first")
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def finding(judged: xr.Dataset) -> str:
    """The best candidate by either judge, and by how much.

    Args:
        judged: as for :func:`plot`.
    """
    chosen = best(judged).stack(model=("candidate", "kernel"))
    error, evidence = chosen["mean_absolute_error"].values, chosen["log_evidence"].values
    first, likeliest = int(error.argmin()), int(evidence.argmax())
    alone = 1000 * judged.attrs["composition_error"]
    told = words.with_error(1000 * error[first], 1000 * float(chosen["standard_error"][first]))
    by_evidence = "it has" if first == likeliest else f"{_name(chosen, likeliest)} has"
    return (
        f"Of {judged.sizes['candidate']} candidates, {_name(chosen, first)} predicts each of "
        f"{judged.attrs['molecules']} molecules best from the others, within {told} meV (composition alone: "
        f"{alone:.0f} meV; ± is the standard error); {by_evidence} the largest evidence."
    )


def _name(chosen: xr.Dataset, number: int) -> str:
    candidate, kernel = chosen["model"].values[number]
    return f"{candidate} ({kernel.upper()})"
