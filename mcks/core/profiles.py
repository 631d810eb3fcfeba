"""Profile list -> the chosen profile -> what it overrides. Pure: no spawner, no HTML, no cluster.

Field names and meanings are kubespawner's, so that existing lists work.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mcks.errors import ConfigError, UnknownProfile, unknown

_KEYS = {
    "display_name",
    "slug",
    "description",
    "default",
    "cluster",
    "spawner_override",
    "kubespawner_override",
}


@dataclass(frozen=True)
class Profile:
    """One entry of the profile list, checked and complete."""

    slug: str
    display_name: str
    description: str = ""
    default: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)


def slugify(text: str) -> str:
    """Make a slug of a display name: ASCII letters, digits and single hyphens.

    >>> slugify("GPU (2 x A100), près du lac")
    'gpu-2-x-a100-pres-du-lac'
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore")
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.decode().lower()).strip("-")


def parse(profile_list: Sequence[Any] | Mapping[str, Any]) -> list[Profile]:
    """Check a profile list (or a dict of profiles, taken in the order of its keys).

    The first profile is the default if none is marked. Raises ConfigError that names the place.
    """
    if isinstance(profile_list, Mapping):
        entries = [(f"profile_list[{key!r}]", profile_list[key]) for key in sorted(profile_list)]
    else:
        entries = [(f"profile_list[{i}]", entry) for i, entry in enumerate(profile_list)]
    profiles = [_parse_one(where, entry) for where, entry in entries]
    seen: dict[str, str] = {}
    for (where, _), profile in zip(entries, profiles, strict=True):
        if profile.slug in seen:
            raise ConfigError(
                f"{where} and {seen[profile.slug]} have the same slug {profile.slug!r}: "
                "give one of them another 'slug'"
            )
        seen[profile.slug] = where
    return _with_one_default(profiles)


def _parse_one(where: str, entry: Any) -> Profile:
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where} must be a dict, not {type(entry).__name__}")
    for key in entry:
        if key not in _KEYS:
            raise ConfigError(f"{where}: {unknown('key', str(key), _KEYS)}")
    name = entry.get("display_name")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{where} needs a 'display_name': the text that users see")
    slug = entry.get("slug") or slugify(name)
    if not isinstance(slug, str) or not slug:
        raise ConfigError(f"{where} needs a 'slug': none can be made of {name!r}")
    return Profile(
        slug=slug,
        display_name=name,
        description=str(entry.get("description", "")),
        default=bool(entry.get("default", False)),
        overrides=_overrides(where, entry),
    )


def _overrides(where: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Join the two spellings of the override and the shorthand ``cluster``."""
    joined: dict[str, Any] = {}
    for key in ("kubespawner_override", "spawner_override"):
        value = entry.get(key) or {}
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where}: {key!r} must be a dict, not {type(value).__name__}")
        joined.update(value)
    if "cluster" in entry:
        if "cluster" in joined:
            raise ConfigError(f"{where} names its cluster twice: keep only the key 'cluster'")
        joined["cluster"] = entry["cluster"]
    if joined.get("cluster") and joined.get("kubernetes_context"):
        raise ConfigError(
            f"{where} has both a cluster and a kubernetes_context: keep one "
            "(a context without an entry in `clusters` needs only kubernetes_context)"
        )
    return joined


def _with_one_default(profiles: list[Profile]) -> list[Profile]:
    marked = [p.slug for p in profiles if p.default]
    chosen = marked[0] if marked else (profiles[0].slug if profiles else "")
    return [
        Profile(p.slug, p.display_name, p.description, p.slug == chosen, p.overrides)
        for p in profiles
    ]


def choose(profiles: Sequence[Profile], user_options: Mapping[str, Any]) -> Profile:
    """Find the profile that *user_options* names, the default if it names none.

    Raises UnknownProfile.
    """
    wanted = user_options.get("profile")
    if wanted in (None, ""):
        return next(p for p in profiles if p.default)
    for profile in profiles:
        if profile.slug == wanted:
            return profile
    raise UnknownProfile(unknown("profile", str(wanted), [p.slug for p in profiles]))


def merge(base: Any, override: Any) -> Any:
    """Merge an override over a trait's value: dicts recursively, where None removes a key.

    >>> merge({"A": "1", "B": "2"}, {"B": None, "C": "3"})
    {'A': '1', 'C': '3'}
    """
    if not isinstance(base, Mapping) or not isinstance(override, Mapping):
        return override
    merged = dict(base)
    for key, value in override.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged
