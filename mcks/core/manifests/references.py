"""``$(NAME)`` in values of the environment, which Kubernetes replaces in entries of ``env``. Pure.

Kubernetes knows what comes from ``envFrom`` and the entries before; an unknown name stays as it is.
Which variables there are, and where they are put, does not belong here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

OPENER = "$("
"""What stands in each value in which Kubernetes has something to replace."""
_ESCAPED_OR_NAME = re.compile(r"\$\$|\$\(([^)]*)\)")
"""As the kubelet reads: ``$$`` is a dollar sign, so that ``$$(NAME)`` refers to nothing."""


def refers(value: str) -> bool:
    """Tell whether Kubernetes has something to replace in *value*, be it an escaped reference.

    >>> refers("s3://b/$(USER)"), refers("$$(USER)"), refers("pa$$word")
    (True, True, False)
    """
    return OPENER in value


def names(value: str) -> set[str]:
    """Give the names that *value* refers to.

    >>> sorted(names("$(A)/$$(B)/$$$(C)/$(unclosed"))
    ['A', 'C']
    """
    return {name for name in _ESCAPED_OR_NAME.findall(value) if name}


def in_order(
    entries: Mapping[str, dict[str, Any]], fixed: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Join *entries*, by name, and *fixed*, which keep their order: each after what it refers to.

    Entries that need none of the *fixed* come before these, which may refer to them. Those that
    refer to one another in a circle come last, where Kubernetes leaves the circle's reference.
    """
    waiting = dict(entries)
    missing = {name for entry in fixed if isinstance(name := entry.get("name"), str)}
    ordered = list(_ready(waiting, missing))
    for entry in fixed:
        missing.discard(entry.get("name", ""))
        ordered += [entry, *_ready(waiting, missing)]
    return [*ordered, *waiting.values()]


def _ready(waiting: dict[str, dict[str, Any]], missing: set[str]) -> Iterator[dict[str, Any]]:
    """Take out of *waiting* what refers neither to *missing* names nor to others that wait."""
    while True:
        unmet = missing | waiting.keys()
        found = [name for name, entry in waiting.items() if not _needs(name, entry) & unmet]
        if not found:
            return
        for name in found:
            yield waiting.pop(name)


def _needs(name: str, entry: Mapping[str, Any]) -> set[str]:
    value = entry.get("value")
    return names(value) - {name} if isinstance(value, str) else set()
