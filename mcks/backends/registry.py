"""Which backends are installed: the entry-point group ``mcks.backends``, ours and strangers'.

What a backend does is in `mcks.backends.base`.
"""

from __future__ import annotations

import sys
from functools import lru_cache

import entrypoints

from mcks.backends.base import Backend
from mcks.errors import ConfigError, UnknownBackend, unknown

GROUP = "mcks.backends"


def installed() -> dict[str, str]:
    """Give the names of the installed backends, each with where it comes from (module:class)."""
    found = entrypoints.get_group_named(GROUP)
    return {name: f"{ep.module_name}:{ep.object_name}" for name, ep in sorted(found.items())}


@lru_cache(maxsize=32)
def _entry(name: str, _path: tuple[str, ...]) -> entrypoints.EntryPoint:
    """Read what all packages say, once for all clusters of that backend."""
    return entrypoints.get_single(GROUP, name)


def backend_class(name: str) -> type[Backend]:
    """Load the backend *name*.

    Raises `UnknownBackend`, which lists those installed; `ConfigError` if its package is broken;
    `MissingDependency` if it says so itself.
    """
    try:
        entry = _entry(name, tuple(sys.path))
    except entrypoints.NoSuchEntryPoint:
        raise UnknownBackend(unknown("backend", name, installed())) from None
    origin = f"{entry.module_name}:{entry.object_name}"
    if entry.distro is not None:
        origin += f" of the package {entry.distro.name}"
    try:
        loaded = entry.load()
    except ConfigError:
        raise
    except Exception as exc:
        raise ConfigError(
            f"backend {name!r} cannot be loaded from {origin}: {type(exc).__name__}: {exc}"
        ) from exc
    if not (isinstance(loaded, type) and issubclass(loaded, Backend)):
        raise ConfigError(f"backend {name!r} ({origin}) is not a subclass of mcks' Backend")
    return loaded
