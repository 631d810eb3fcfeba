"""What may differ between a server's objects before a conversion and after it: a named list. Pure.

Rendering the objects does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest, ref


@dataclass(frozen=True)
class Unavoidable:
    """*what* may differ and *why* it does not matter; *drop* takes it out of an object."""

    what: str
    why: str
    drop: Callable[[Manifest], Manifest]


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {key: _without_empty(item) for key, item in value.items()}
        return {k: v for k, v in kept.items() if v is not None and v != []}
    if isinstance(value, list | tuple):
        return [_without_empty(item) for item in value]
    return value


def _in_order(manifest: Manifest) -> Manifest:
    if manifest["kind"] != "Pod":
        return manifest
    spec = dict(manifest["spec"])
    spec["containers"] = [
        {**c, "env": sorted(c["env"], key=str)} if c["name"] == CONTAINER and "env" in c else c
        for c in spec["containers"]
    ]
    return {**manifest, "spec": spec}


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


UNAVOIDABLE = (
    Unavoidable(
        "fields that are null, and lists that are empty, are there or not",
        "Kubernetes reads both alike",
        lambda manifest: dict(_without_empty(manifest)),
    ),
    Unavoidable(
        "a whole number is written with a fraction or without, as in `cpu: 1.0`",
        "Kubernetes reads both alike",
        lambda manifest: dict(_with_whole_numbers(manifest)),
    ),
    Unavoidable(
        "the order of `env` in the container `notebook`",
        "mcks puts each variable behind those that it refers to",
        _in_order,
    ),
)


def comparable(objects: Sequence[Manifest]) -> dict[str, Manifest]:
    """Return *objects* by their names, without what may differ."""
    found = {}
    for manifest in objects:
        kept = manifest
        for difference in UNAVOIDABLE:
            kept = difference.drop(kept)
        found[str(ref(manifest))] = kept
    return found
