"""mcks: one JupyterHub, many Kubernetes clusters."""

from __future__ import annotations

import logging
from typing import Any

from mcks.errors import Refused as Refused


def check_config(config: Any) -> None:
    """Raise HasMistakes with all mistakes of *config*; made to be a configuration's last line.

    ``import mcks; mcks.check_config(c)``
    """
    from mcks.core.checking.config_check import check  # noqa: PLC0415 (heavy, and needed only here)
    from mcks.errors import HasMistakes  # noqa: PLC0415

    found = check(config)
    for told in found.warnings + found.notes:
        logging.getLogger("mcks").warning("%s", told)
    if found.problems:
        raise HasMistakes("\n- ".join(["the configuration has mistakes:", *found.problems]))
