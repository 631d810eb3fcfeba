"""Finds names that a patch adds to a Pod and that are nearly those of what is there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from mcks.core.checking.finding import Finding
from mcks.core.objects import Manifest

_NEAR = 0.8
"""Likeness from which on a name is taken for another, misspelt."""
_LISTS = {"containers": "container", "initContainers": "container", "volumes": "volume"}
_DIGITS = re.compile(r"\d+")


def look(before: Sequence[Manifest], after: Sequence[Manifest], where: str) -> Iterator[Finding]:
    """Yield what the Pods *after* all patches have and *before* have not, if its name is near."""
    there = {(m["kind"], m["metadata"]["name"]): m for m in before}
    for manifest in after:
        old = there.get((manifest["kind"], manifest["metadata"]["name"]))
        if manifest["kind"] != "Pod" or old is None:
            continue
        for what, names, others in _pairs(old.get("spec") or {}, manifest.get("spec") or {}):
            for name in names:
                if other := next((o for o in others if _is_near(name, o)), ""):
                    told = f"a patch adds the {what} {name!r}. Did you mean {other!r}?"
                    yield Finding("MCKS134", told, where)
                others.append(name)


def _pairs(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield a word for what it is, names that were added, and those that were there."""
    for field, what in _LISTS.items():
        known = _names(old.get(field))
        yield what, [name for name in _names(new.get(field)) if name not in known], known
    ports = {c.get("name"): _names(c.get("ports")) for c in _maps(old.get("containers"))}
    for container in _maps(new.get("containers")):
        known = ports.get(container.get("name"), [])
        yield "port", [n for n in _names(container.get("ports")) if n not in known], known


def _is_near(name: str, other: str) -> bool:
    """Whether *name* is *other* with a slip of the hand; numbers count things of one kind."""
    if _DIGITS.sub("", name) == _DIGITS.sub("", other):
        return False
    return SequenceMatcher(None, name, other).ratio() >= _NEAR


def _names(items: Any) -> list[str]:
    return [str(item["name"]) for item in _maps(items) if item.get("name")]


def _maps(items: Any) -> list[Mapping[str, Any]]:
    if not isinstance(items, list):
        return []
    return [item for item in items if isinstance(item, Mapping)]
