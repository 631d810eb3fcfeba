"""mcks: one JupyterHub, many Kubernetes clusters."""

from __future__ import annotations

from typing import Any


def check_config(config: Any) -> None:
    """Raise ConfigError with all mistakes of *config*; made to be a configuration's last line.

    ``import mcks; mcks.check_config(c)``
    """
    from mcks.core.commands.config_check import problems  # noqa: PLC0415 (heavy, and needed only here)
    from mcks.errors import ConfigError  # noqa: PLC0415

    if found := problems(config):
        raise ConfigError("\n- ".join(["the configuration has mistakes:", *found]))
