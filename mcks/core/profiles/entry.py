"""One dict of a profile list, read key by key: a mistake is told, and reading goes on. Pure.

Which keys there are, and what they make together, does not belong here (profile_list.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from mcks.core.administrator.access import EVERYBODY, Access
from mcks.core.administrator.limits import UNLIMITED, Limits, mistake
from mcks.core.clusters import candidates
from mcks.core.profiles.keys import Told, others

OVERRIDES = ("kubespawner_override", "spawner_override")
OVERRIDING = {*OVERRIDES, "cluster", "clusters"}


class Entry:
    """What stands at *where* of the list. Something else than a dict is told, and read as empty."""

    def __init__(self, where: str, value: Any, told: Told) -> None:
        self.where, self.told = where, told
        self._before = len(told.mistakes)
        self.is_dict = isinstance(value, Mapping)
        self.values: Mapping[str, Any] = value if self.is_dict else {}
        if not self.is_dict:
            self.wrong(f"{where} must be a dict, not {type(value).__name__}")

    @property
    def is_sound(self) -> bool:
        """Whether no mistake was told since this was begun."""
        return len(self.told.mistakes) == self._before

    def wrong(self, sentence: str) -> None:
        """Tell a mistake."""
        self.told.mistakes.append(sentence)

    def foreign(self, known: Collection[str]) -> dict[str, Any]:
        """Return what stands under keys that are not *known*, as far as forms can show it."""
        misplaced = [name for name in Limits._fields if name in self.values and name not in known]
        for name in misplaced:
            self.wrong(f"{self.where}: {name!r} is a limit of a whole profile: write it there")
        return others(self.where, self.values, {*known, *misplaced}, self.told)

    def text(self, key: str) -> str:
        """Return the text under *key*; empty without one."""
        value = self.values.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        self.wrong(f"{self.where}[{key!r}] must be a text, not {type(value).__name__}")
        return ""

    def pattern(self, key: str) -> str:
        """Return the regular expression under *key*; empty without one."""
        text = self.text(key)
        try:
            re.compile(text)
        except re.error as exc:
            self.wrong(f"{self.where}[{key!r}] is no regular expression: {exc}")
        return text

    def entries(self, key: str, what: str) -> list[tuple[Any, Entry]]:
        """Return the dicts of the dict under *key*, which holds *what*, with their own keys."""
        value = self.values.get(key) or {}
        place = f"{self.where}[{key!r}]"
        if not isinstance(value, Mapping):
            self.wrong(f"{place} must be a dict of {what}, not {type(value).__name__}")
            return []
        return [
            (name, Entry(f"{place}[{name!r}]", item, self.told)) for name, item in value.items()
        ]

    def check_name(self, key: Any, what: str) -> None:
        """Tell if *key*, under which this entry stands, cannot name a *what*."""
        if not isinstance(key, str) or not key:
            self.wrong(f"{self.where}: the key of a {what} must be a text, not {key!r}: quote it")

    def access(self) -> Access:
        """Return who may choose this."""
        groups, allow = self.values.get("allowed_groups"), self.values.get("allow")
        if groups is None and allow is None:
            return EVERYBODY
        if isinstance(groups, str) or not isinstance(groups, list | tuple | set | frozenset | None):
            kind = type(groups).__name__
            self.wrong(f"{self.where}['allowed_groups'] must be a list of groups, not {kind}")
            groups = ()
        if allow is not None and not callable(allow):
            kind = type(allow).__name__
            self.wrong(f"{self.where}['allow'] must be a function of the spawner, not {kind}")
        return Access(None if groups is None else frozenset(map(str, groups)), allow)

    def limits(self) -> Limits:
        """Return how many servers of this there may be, and for how long."""
        said = {name: self.values[name] for name in Limits._fields if name in self.values}
        for name, value in said.items():
            if value is not None and (wrong := mistake(name, value)):
                self.wrong(f"{self.where}[{name!r}] {wrong}")
        return Limits(**said) if said else UNLIMITED

    def overrides(self) -> dict[str, Any]:
        """Join the two spellings of the override and the keys ``cluster`` and ``clusters``."""
        joined: dict[str, Any] = {}
        if OVERRIDING.isdisjoint(self.values):
            return joined
        for key in OVERRIDES:
            joined.update(self._override(key))
        if "cluster" in self.values:
            if "cluster" in joined:
                self.wrong(f"{self.where} names its cluster twice: keep only the key 'cluster'")
            joined["cluster"] = self.values["cluster"]
        if "clusters" in self.values:
            joined["candidates"] = self._candidates(joined)
        if joined.get("cluster") and joined.get("kubernetes_context"):
            self.wrong(
                f"{self.where} has both a cluster and a kubernetes_context: keep one "
                "(a context without an entry in `clusters` needs only kubernetes_context)"
            )
        return joined

    def _candidates(self, joined: Mapping[str, Any]) -> Any:
        said, where = self.values["clusters"], f"{self.where}['clusters']"
        for sentence in candidates.mistakes(said, where):
            self.wrong(sentence)
        if joined.get("cluster") or joined.get("kubernetes_context") or "candidates" in joined:
            self.wrong(f"{where}: this says its cluster in another way, too: keep one of them")
        return dict(said) if isinstance(said, Mapping) else said

    def theirs(self) -> frozenset[str]:
        """Name what only ``kubespawner_override`` says, so that it has KubeSpawner's meaning."""
        theirs, ours = (self.values.get(key) or {} for key in OVERRIDES)
        if not (isinstance(theirs, Mapping) and isinstance(ours, Mapping)):
            return frozenset()
        return frozenset(theirs.keys() - ours.keys())

    def _override(self, key: str) -> Mapping[str, Any]:
        value = self.values.get(key) or {}
        if isinstance(value, Mapping):
            said = value.get("candidates")
            if said and not callable(said):
                for sentence in candidates.mistakes(said, f"{self.where}: {key}['candidates']"):
                    self.wrong(sentence)
            return value
        self.wrong(f"{self.where}: {key!r} must be a dict, not {type(value).__name__}")
        return {}
