"""Merges what several levels of configuration say (hub, profile, choice) by key. Pure.

What the texts mean does not belong here (render.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from mcks.errors import ConfigError

Level = Mapping[str, str | None] | Sequence[str]
"""Texts by key, where None removes what a lower level said; or texts in order."""


_FROM_LIST = r"[!~](\d{2,})-\d{3,}"


def merge_levels(*levels: Level | None) -> dict[str, str]:
    """Merge *levels*, lowest first, into one dict sorted by key: the order in which it applies.

    A later level wins, key by key. A list's entries never replace others: their keys are
    ``~LL-NNN`` (number of the list, position), behind all usual keys; ``!LL-NNN``, before them,
    while no dict stands below the list, so that a profile's dict still overrides the hub's list.
    Merging the result with further levels gives the same as merging all at once.

    Raises ConfigError if a level or an entry is of another type.
    """
    return {key: text for key, text in join_levels(*levels).items() if text is not None}


def join_levels(*levels: Level | None) -> dict[str, str | None]:
    """Merge *levels* in the same way, and keep each None: it may remove a key from what stands
    below all of them."""
    merged: dict[str, str | None] = {}
    for level in levels:
        if type(level) is dict or isinstance(level, Mapping):
            _check(level)
            merged |= level
        elif isinstance(level, Sequence) and not isinstance(level, str):
            merged |= _keyed(level, [key for key, text in merged.items() if text is not None])
        elif level is not None:
            raise ConfigError(
                f"expected a dict of texts or a list of texts, not a {type(level).__name__}"
            )
    return dict(sorted(merged.items()))


def _keyed(level: Sequence[str], lower: Iterable[str]) -> dict[str, str]:
    found = [re.fullmatch(_FROM_LIST, key) for key in lower]
    number = 1 + max((int(match[1]) for match in found if match), default=-1)
    place = "~" if any(m is None or m[0].startswith("~") for m in found) else "!"
    texts = {f"{place}{number:02}-{n:03}": text for n, text in enumerate(level)}
    _check(texts)
    return texts


def _check(texts: Mapping[str, str | None]) -> None:
    if {*map(type, texts)} <= {str} and {*map(type, texts.values())} <= {str, type(None)}:
        return  # as most are
    for key, text in texts.items():
        if not isinstance(key, str):
            raise ConfigError(f"the key {key!r} is not a string: quote it")
        if text is not None and not isinstance(text, str):
            raise ConfigError(
                f"{key!r} is a {type(text).__name__}: write YAML as one text, or None to remove it"
            )
