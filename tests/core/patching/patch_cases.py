"""Reads tests/cases/patch: one file for each rule of the strategic merge patch.

A file is a list of cases: ``name``, ``original``, ``patch``, and either ``result`` or ``error``
(kubectl's words) with ``path``. ``type: merge`` makes it a JSON merge patch. ``kind``, which holds
until the next, stands for apiVersion, kind and a name, which are put into original, patch and
result; a ``bare`` patch goes without. ``quirk`` says why kubectl is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.core.manifests.one_document import load

FOLDER = Path(__file__).parents[2] / "cases" / "patch"


@dataclass(frozen=True)
class Case:
    """One patch and what becomes of it."""

    rule: str
    name: str
    original: dict[str, Any]
    patch: dict[str, Any]
    result: dict[str, Any]
    error: str
    path: str
    type: str
    quirk: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"


def _read(path: Path) -> list[Case]:
    kind = ""
    cases = []
    for entry in load(path.read_text(encoding="utf-8")):
        kind = entry.get("kind", kind)
        cases.append(_case(path.stem, kind, entry))
    return cases


def _case(rule: str, kind: str, entry: dict[str, Any]) -> Case:
    api_version, _, kind = kind.rpartition("/")
    head = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}}

    def whole(name: str) -> dict[str, Any]:
        content = entry.get(name) or {}
        merged = head | content
        if "metadata" in content:
            merged["metadata"] = content["metadata"] and head["metadata"] | content["metadata"]
        return merged

    change = entry["patch"] if entry.get("bare") else whole("patch")
    return Case(
        rule=rule,
        name=entry["name"],
        original=whole("original"),
        patch=change,
        result=whole("result") if "result" in entry else {},
        error=entry.get("error", ""),
        path=entry.get("path", ""),
        type=entry.get("type", "strategic"),
        quirk=entry.get("quirk", ""),
    )


CASES = [case for file in sorted(FOLDER.glob("*.yaml")) for case in _read(file)]
