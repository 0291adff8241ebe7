"""The default config changed, and what is said of it."""

import copy
import sys
from typing import Any

from runs import ROOT

sys.path.insert(0, str(ROOT / "workflow"))

from settings import RefusedError, check, layered

DEFAULT = layered([])


def changed(*changes: tuple[str, Any]) -> dict:
    """The default config once some fields have other values.

    Args:
        changes: a path, such as "sine.widths" or "molecules.models.0", and the value, each.
    """
    config = copy.deepcopy(DEFAULT)
    for field, value in changes:
        section, place = config, [int(key) if key.isdigit() else key for key in field.split(".")]
        for key in place[:-1]:
            section = section[key]
        section[place[-1]] = value
    return config


def said(*changes: tuple[str, Any]) -> str | None:
    """What the default config is then refused for; None if it is not."""
    try:
        check(changed(*changes))
    except RefusedError as refused:
        return str(refused)
    return None
