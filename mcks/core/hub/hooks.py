"""The administrator's functions as JupyterHub calls them for a start: a failing one is named.

What KubeSpawner's names in them mean does not belong here (foreign_names.py).
"""

from __future__ import annotations

from typing import Any

from mcks.core.administrator import functions
from mcks.core.profiles import group_overrides


class Hooks:
    """Part of a spawner: its ``environment`` and ``group_overrides``."""

    environment: dict[str, Any]
    group_overrides: Any

    def get_env(self) -> dict[str, Any]:
        """Return the environment as JupyterHub does. Raises FunctionFailed, ConfigError."""
        configured = self.environment
        if not any(map(callable, configured.values())):
            return dict(super().get_env())  # type: ignore[misc]
        self.environment = functions.with_names("environment", configured)
        try:
            return dict(super().get_env())  # type: ignore[misc]
        finally:
            self.environment = configured

    async def apply_groups(self) -> None:
        """Do as JupyterHub's ``apply_group_overrides``. Raises FunctionFailed, ConfigError."""
        said = self.group_overrides
        if callable(said):
            with functions.naming("group_overrides", said):
                await super().apply_group_overrides()  # type: ignore[misc]
            return
        for key, entry in said.items():
            group_overrides.check_form(key, entry)
        await super().apply_group_overrides()  # type: ignore[misc]
