"""Profile lists with what is posted to them, for KubeSpawner and mcks side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PLAIN: list[Any] = [
    {"display_name": "Small", "description": "s", "kubespawner_override": {"mem_limit": "1G"}},
    {
        "display_name": "Large (Big)",
        "kubespawner_override": {
            "mem_limit": "8G",
            "image": "large:1",
            "environment": {"SHARED": None, "OWN": "1"},
        },
    },
    {"display_name": "Named", "slug": "own-slug", "kubespawner_override": {"cpu_limit": 2}},
]
MARKED: list[Any] = [
    {"display_name": "a", "kubespawner_override": {"image": "a:1"}},
    {"display_name": "b", "default": True, "kubespawner_override": {"image": "b:1"}},
]
TWICE_MARKED: list[Any] = [{**MARKED[0], "default": True}, MARKED[1]]
LAYERED: dict[str, Any] = {"20-b": MARKED[0], "10-a": PLAIN[1], "30-c": PLAIN[0]}
IMAGE: dict[str, Any] = {
    "display_name": "Image",
    "choices": {
        "scipy": {"display_name": "SciPy", "kubespawner_override": {"image": "scipy:1"}},
        "torch": {
            "display_name": "Torch",
            "kubespawner_override": {"image": "torch:1", "environment": {"OWN": "torch"}},
        },
    },
}
UNLISTED: dict[str, Any] = {
    **IMAGE,
    "unlisted_choice": {
        "enabled": True,
        "display_name": "Own image",
        "validation_regex": r"[a-z]+/[a-z]+:[0-9]+",
        "validation_message": "name/name:number",
        "kubespawner_override": {
            "image": "{value}",
            "environment": {"ASKED": "x {value} y {value}", "KEPT": "{other}"},
            "args": ["--image", "{value}"],
        },
    },
}
SIZE: dict[str, Any] = {
    "display_name": "Size",
    "choices": {
        "small": {"display_name": "S", "kubespawner_override": {"mem_limit": "1G"}},
        "big": {
            "display_name": "B",
            "default": True,
            "kubespawner_override": {"mem_limit": "9G", "environment": {"OWN": None}},
        },
        "as-is": {"display_name": "As the profile says"},
    },
}
OPTIONS: list[Any] = [
    {
        "display_name": "Choose",
        "slug": "choose",
        "kubespawner_override": {
            "image": "profile:1",
            "cpu_limit": 1,
            "environment": {"OWN": "profile", "SHARED": "profile"},
        },
        "profile_options": {"image": IMAGE, "size": SIZE},
    },
    {"display_name": "Other", "profile_options": {"image": UNLISTED, "size": SIZE}},
    {"display_name": "None of them", "kubespawner_override": {"image": "none:1"}},
]
ORDER: list[Any] = [
    {"display_name": "x", "profile_options": {"size": SIZE, "image": IMAGE}},
    {
        "display_name": "y",
        "profile_options": {
            "z": {"display_name": "Z", "choices": {"k": {"kubespawner_override": {"image": "z"}}}},
            "a": {"display_name": "A", "choices": {"k": {"kubespawner_override": {"image": "a"}}}},
        },
    },
]
CALLABLES: list[Any] = [
    {
        "display_name": "f",
        "kubespawner_override": {
            "mem_limit": "2G",
            "image": lambda spawner: f"{spawner.mem_limit}:1",
            "environment": lambda spawner: {"F": spawner.image, "SHARED": None},
        },
        "profile_options": {
            "o": {
                "display_name": "O",
                "choices": {
                    "k": {"kubespawner_override": {"args": lambda spawner: [spawner.image]}},
                    "l": {"kubespawner_override": {"default_url": lambda _: "/lab"}},
                },
            }
        },
    }
]
DISABLED: list[Any] = [
    {
        "display_name": "d",
        "profile_options": {"image": {**IMAGE, "unlisted_choice": {"enabled": False}}},
    }
]

LISTS: dict[str, Any] = {
    "plain": PLAIN,
    "marked": MARKED,
    "twice-marked": TWICE_MARKED,
    "layered": LAYERED,
    "function": lambda _: PLAIN,
    "options": OPTIONS,
    "order": ORDER,
    "callables": CALLABLES,
    "disabled": DISABLED,
    "empty": lambda _: [],
}

_OPTIONS: list[dict[str, Any]] = [
    {},
    {"image": "scipy"},
    {"image": "torch"},
    {"image": ""},
    {"size": "small"},
    {"size": "as-is"},
    {"image": "torch", "size": "small"},
    {"image": "torch", "size": "as-is"},
    {"size": None},
    {"unknown": "x"},
    {"image": "torch", "unknown": "x"},
    {"image": "tensor"},
    {"size": "Big"},
    {"image": "torch", "size": "huge"},
    {"image--unlisted-choice": "a/b:1"},
    {"image--unlisted-choice": "a/b:1", "size": "small"},
    {"image--unlisted-choice": "a/b:1", "image": "torch"},
    {"image--unlisted-choice": ""},
    {"image--unlisted-choice": "", "image": "torch"},
    {"image--unlisted-choice": "evil"},
    {"image--unlisted-choice": "A/b:1"},
    {"size--unlisted-choice": ""},
]
_PROFILES = ["", "small", "large-big", "own-slug", "Small", "a", "b", "nothing", "named", None]
_FORMS: list[dict[str, Any]] = [
    {"profile": ["choose"], "profile-option-choose--image": ["torch"]},
    {"profile": ["choose"], "profile-option-choose--size": ["as-is"]},
    {"profile": ["choose", "other"], "profile-option-choose--size": ["small", "big"]},
    {"profile": ["choose"], "profile-option-other--image": ["torch"]},
    {"profile": ["other"], "profile-option-other--image--unlisted-choice": ["a/b:1"]},
    {"profile": ["other"], "profile-option-other--image--unlisted-choice": ["no"]},
    {"profile": ["other"], "profile-option-other--image": ["torch"], "select-profile": ["other"]},
    {"profile": ["none-of-them"], "profile-option-none-of-them--image": ["torch"]},
    {"profile": ["gone"], "profile-option-gone--image": ["torch"]},
    {"profile-option-choose--image": ["torch"]},
    {"profile": [""]},
    {"profile": ["choose"], "profile-option-choose--": ["x"]},
    {},
]


@dataclass(frozen=True)
class Case:
    """What is posted to a profile list, by *way* of the form or of the API."""

    listed: str
    way: str
    posted: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.listed}-{self.way}-{self.posted}"


def cases() -> Iterator[Case]:
    """Yield all cases in which both are to do the same."""
    for name in ("plain", "marked", "twice-marked", "layered", "function"):
        for slug in _PROFILES:
            yield Case(name, "api", {"profile": slug})
    for slug in ("choose", "other", "none-of-them"):
        for options in _OPTIONS:
            yield Case("options", "api", {"profile": slug, **options})
    for name, slug in (("order", "x"), ("order", "y"), ("disabled", "d")):
        for options in _OPTIONS:
            yield Case(name, "api", {"profile": slug, **options})
    for posted in ({}, {"o": "k"}, {"o": "l"}, {"profile": "f", "o": "l"}, {"o": "m"}):
        yield Case("callables", "api", posted)
    for name in ("options", "plain", "order", "empty"):
        for form in _FORMS:
            yield Case(name, "form", form)
    yield Case("empty", "api", {})
    yield Case("empty", "api", {"profile": "small"})
