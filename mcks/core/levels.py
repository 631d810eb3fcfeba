"""Merges what several levels of configuration say (hub, profile, choice) by key. Pure.

What the texts mean does not belong here (render.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcks.errors import ConfigError

Level = Mapping[str, str | None] | Sequence[str]
"""Texts by key, where None removes what a lower level said; or texts in order."""


def merge_levels(*levels: Level | None) -> dict[str, str]:
    """Merge *levels*, lowest first, into one dict sorted by key: the order in which it applies.

    A later level wins, key by key. A list's entries never replace each other nor a dict's: their
    keys are ``~LL-NNN`` (level and position), after all usual keys; ``!LL-NNN``, before them, when
    no lower level is a dict, so that a profile's dict still overrides the hub's list.

    Raises ConfigError if a level or an entry is of another type.
    """
    merged: dict[str, str | None] = {}
    prefix = "!"
    for number, level in enumerate(levels):
        if isinstance(level, Mapping):
            prefix = "~" if level else prefix
            merged |= level
        elif isinstance(level, Sequence) and not isinstance(level, str):
            merged |= {f"{prefix}{number:02}-{n:03}": text for n, text in enumerate(level)}
        elif level is not None:
            raise ConfigError(
                f"expected a dict of texts or a list of texts, not a {type(level).__name__}"
            )
    for key, text in merged.items():
        _check(key, text)
    return {key: text for key, text in sorted(merged.items()) if text is not None}


def _check(key: object, text: object) -> None:
    if not isinstance(key, str):
        raise ConfigError(f"the key {key!r} is not a string: quote it")
    if text is not None and not isinstance(text, str):
        raise ConfigError(
            f"{key!r} is a {type(text).__name__}: write YAML as one text, or None to remove it"
        )
