"""What hooks and groups set on a spawner that is KubeSpawner's: told, instead of lost in silence.

The names and what to write instead are a table of their own (kubespawner_traits.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcks.core import functions
from mcks.core.profiles.kubespawner_traits import TRAITS, instead_of
from mcks.errors import unknown

_AFFINITIES = {
    f"{what}_affinity_{how}"
    for what in ("node", "pod", "pod_anti")
    for how in ("preferred", "required")
}
LISTS = _AFFINITIES | {
    *("extra_containers", "image_pull_secrets", "init_containers", "storage_access_modes"),
    *("supplemental_gids", "tolerations", "volume_mounts", "volumes"),
}
"""KubeSpawner's traits that are an empty list if nobody has set them."""
DICTS = {
    *("common_labels", "extra_annotations", "extra_container_config", "extra_labels"),
    *("extra_pod_config", "extra_resource_guarantees", "extra_resource_limits", "lifecycle_hooks"),
    *("node_selector", "storage_extra_annotations", "storage_extra_labels", "storage_selector"),
    *("container_security_context", "pod_security_context"),
    *("user_namespace_annotations", "user_namespace_labels"),
}
"""Those that are an empty dict."""


class ForeignNames:
    """Part of a spawner: takes KubeSpawner's names, which have no effect, and tells so."""

    log: Any

    def __getattr__(self, name: str) -> Any:
        """Give a trait of KubeSpawner's as if nobody had set it, so that a hook can go on."""
        if name not in TRAITS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value: Any = [] if name in LISTS else {} if name in DICTS else None
        vars(self)[name] = value
        return value

    def tell_foreign_names(self) -> None:
        """Warn of what hooks have set or read since the last time, and forget it."""
        for name in [n for n in vars(self) if n in TRAITS and not hasattr(type(self), n)]:
            del vars(self)[name]
            self.log.warning("A hook uses what has no effect here: %s", instead_of(name))

    def _apply_overrides(self, spawner_override: Mapping[str, Any]) -> None:
        """Leave out, with a warning, what JupyterHub would set without any effect."""
        cls: Any = type(self)
        known = {name: value for name, value in spawner_override.items() if hasattr(cls, name)}
        for name in spawner_override.keys() - known.keys():
            traits = cls.class_trait_names(config=True)
            told = instead_of(name) or unknown("trait", name, traits)
            self.log.warning("group_overrides has what has no effect: %s", told)
        named = functions.with_names("group_overrides: spawner_override", known)
        super()._apply_overrides(named)  # type: ignore[misc]
