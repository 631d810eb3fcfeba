"""mcks: one JupyterHub, many Kubernetes clusters."""

from __future__ import annotations

import logging
from typing import Any


def check_config(config: Any) -> None:
    """Raise ConfigError with all mistakes of *config*; made to be a configuration's last line.

    ``import mcks; mcks.check_config(c)``
    """
    from mcks.core.checking.config_check import check  # noqa: PLC0415 (heavy, and needed only here)
    from mcks.errors import ConfigError  # noqa: PLC0415

    found = check(config)
    for note in found.notes:
        logging.getLogger("mcks").warning("%s", note)
    if found.problems:
        raise ConfigError("\n- ".join(["the configuration has mistakes:", *found.problems]))
