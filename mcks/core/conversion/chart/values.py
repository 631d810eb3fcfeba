"""The values of a release of Zero to JupyterHub, its chart's own included. Pure.

What they mean for a spawner (`configuration`) does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mcks.core.conversion.chart.defaults import NAME, defaults
from mcks.errors import ConfigError

_OWN = ("singleuser", "hub")
"""The keys by which the chart's values are known."""
_DEEPEST = 3
"""How many charts may be around the chart."""


class Values:
    """A chart's values, its defaults included. *said* are the administrator's own."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.said = said
        self.all = _merged(defaults(), said)

    def get(self, path: str, default: Any = None) -> Any:
        """Return what stands at *path*, such as ``singleuser.image.tag``."""
        return _at(self.all, path, default)

    def is_said(self, path: str) -> bool:
        """Tell whether the administrator says *path*, and not the chart."""
        return _at(self.said, path, None) is not None

    @property
    def chart(self) -> str:
        """What the chart calls itself in labels."""
        return str(self.get("nameOverride") or NAME)

    def name(self, short: str) -> str:
        """Return the full name of the release's object that is called *short*."""
        prefix = self.get("fullnameOverride")
        return f"{prefix}-{short}" if prefix else short


def of_chart(document: Any, where: str) -> Values:
    """Return the values in *document*, also if the chart is a part of another one.

    Raises ConfigError if these are no values of the chart.
    """
    found = list(_found(document, "", _DEEPEST))
    if not found:
        raise ConfigError(
            f"{where} has neither 'singleuser' nor 'hub': give values of Zero to JupyterHub, such "
            "as `helm get values RELEASE --all` prints"
        )
    if len(found) > 1:
        places = ", ".join(place for place, _ in found)
        raise ConfigError(
            f"{where} has the values of more than one Zero to JupyterHub: at {places}. Give a file "
            "with those of one"
        )
    ((_, values),) = found
    for name in (*_OWN, "scheduling"):
        if not isinstance(values.get(name) or {}, Mapping):
            raise ConfigError(f"{where}: {name!r} must be a mapping: write its keys below it")
    return Values(values)


def _found(document: Any, place: str, deep: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each mapping that has the chart's keys, with its place; the outermost only."""
    if not isinstance(document, Mapping):
        return
    if isinstance(inner := document.get(NAME), Mapping):
        yield from _found(inner, _below(place, NAME), deep)
    elif _has_keys(document, outermost=not place):
        yield place, document
    elif deep:
        for name, below in document.items():
            yield from _found(below, _below(place, name), deep - 1)


def _has_keys(document: Mapping[str, Any], *, outermost: bool) -> bool:
    return any(
        name in document and (outermost or isinstance(document[name], Mapping)) for name in _OWN
    )


def _below(place: str, name: Any) -> str:
    return f"{place}.{name}" if place else str(name)


def _at(values: Any, path: str, default: Any) -> Any:
    for name in path.split("."):
        if not isinstance(values, Mapping) or name not in values:
            return default
        values = values[name]
    return values


def _merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values as helm does."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged
