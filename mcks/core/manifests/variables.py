"""What templates may see of a server: names and values, never the live spawner. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mcks.core.names import escape

_SECRET = frozenset(
    {"api_token", "auth_state", "db", "orm_spawner", "hub", "user", "authenticator", "handler"}
)


class Traits(Protocol):
    """An object whose attributes are traits."""

    def has_trait(self, name: str) -> bool:
        """Whether there is one of that name."""

    def trait_names(self, **metadata: Any) -> list[str]:
        """Name those that have such *metadata*."""


class View:
    """A read-only view of a Configurable: its traits' plain values and nothing else.

    Secrets, live objects and functions are not there at all.
    """

    __slots__ = ("_extra", "_source")

    def __init__(self, source: Traits, extra: Mapping[str, Any]) -> None:
        self._source = source
        self._extra = extra

    def __getattr__(self, name: str) -> Any:
        if name in self._extra:
            return self._extra[name]
        if name.startswith("_") or name in _SECRET or not self._source.has_trait(name):
            raise AttributeError(name)
        value = getattr(self._source, name)
        if not _is_plain(value):
            raise AttributeError(name)
        return value

    def __dir__(self) -> list[str]:
        """Name what may be there, for messages."""
        names = {*self._extra, *self._source.trait_names(config=True)} - _SECRET
        return sorted(name for name in names if not name.startswith("_"))

    def __repr__(self) -> str:
        return "<spawner>"


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(v) for v in value.values())
    if isinstance(value, list | tuple):
        return all(_is_plain(v) for v in value)
    return value is None or isinstance(value, str | int | float | bool)


def of_names(user_id: int, username: str, servername: str, proxy_spec: str) -> dict[str, Any]:
    """Return the original spawner's variables that ``key_template`` may use."""
    return {
        "userid": user_id,
        "username": escape(username),
        "unescaped_username": username,
        "servername": escape(servername),
        "unescaped_servername": servername,
        "proxy_spec": proxy_spec,
    }


def of_resources(
    *,
    mem_limit: float | None,
    mem_guarantee: float | None,
    cpu_limit: float | None,
    cpu_guarantee: float | None,
) -> dict[str, dict[str, str]]:
    """Return a container's ``resources``. Memory is in bytes, CPU in cores; None or 0 is unset."""
    given = {
        "limits": {"memory": mem_limit, "cpu": cpu_limit},
        "requests": {"memory": mem_guarantee, "cpu": cpu_guarantee},
    }
    quantities = {
        group: {name: _quantity(value) for name, value in values.items() if value}
        for group, values in given.items()
    }
    return {group: values for group, values in quantities.items() if values}


def _quantity(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)
