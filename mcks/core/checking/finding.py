"""One thing that a check has to say: where, what, and what to write instead. Pure.

Finding it, and how it is shown, does not belong here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mcks.core.checking.codes import CODES, Severity


@dataclass(frozen=True)
class Finding:
    """*what* is wrong at *where*, by one of CODES; *instead* is what to do about just this one.

    *where* may be empty: then *what* names the place itself. *file* and *line* are those of the
    configuration, if they are known. *count* is at how many places the same was found, of which
    *where* is the first.
    """

    code: str
    what: str
    where: str = ""
    instead: str = ""
    file: str = ""
    line: int | None = None
    count: int = 1

    @property
    def severity(self) -> Severity:
        """Say how bad it is: an error cannot work, a warning may, a note is no mistake."""
        return CODES[self.code].severity

    @property
    def remedy(self) -> str:
        """Say what to do: about this one, else about all of its code."""
        return self.instead or CODES[self.code].remedy

    @property
    def place(self) -> str:
        """Say where, and at how many places more.

        >>> Finding("MCKS130", "no key", "profile 'a'", count=3).place
        "profile 'a' and 2 more"
        """
        return f"{self.where} and {self.count - 1} more" if self.count > 1 else self.where

    def __str__(self) -> str:
        between = " " if _PREDICATE.match(self.what) else ": "
        told = f"{self.place}{between}{self.what}" if self.where else self.what
        return f"{told}. {self.instead}" if self.instead else told


_PLACE = re.compile(
    r"(?P<where>(?:profile_list|clusters|group_overrides)(?:\[(?:'[^']*'|\"[^\"]*\"|\d+)\])+"
    r"(?:\.\w+)?|cluster '[^']*'|profile '[^']*'(?:: profile_options(?:\[[^]]*\]|\.\w+)*)?"
    r"(?:: \w*_override)?)(?:: (?P<what>.+)| (?P<predicate>(?:needs|must|has|names|offers) .+))",
    re.DOTALL,
)
"""A sentence that begins with a place: ``PLACE: what`` or ``PLACE needs ...``."""
_PREDICATE = re.compile(r"(needs|must|has|names|offers) ")


def placed(code: str, sentence: str, where: str = "") -> Finding:
    """Make a finding of a *sentence* that may begin with its place, so that it can be merged.

    >>> placed("MCKS101", "clusters['a']: unknown key 'x'").where
    "clusters['a']"
    """
    if where:
        return Finding(code, sentence.removeprefix(f"{where}: "), where)
    found = _PLACE.fullmatch(sentence)
    if found is None:
        return Finding(code, sentence)
    return Finding(code, found["what"] or found["predicate"], found["where"])


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Tell what was found at several places once, with their number, in the order of the first.

    >>> [str(f) for f in merged([Finding("MCKS130", "x", "a"), Finding("MCKS130", "x", "b")])]
    ['a and 1 more: x']
    """
    first: dict[tuple[str, ...], Finding] = {}
    places: dict[tuple[str, ...], dict[str, int]] = {}
    for found in findings:
        same = (found.code, found.what, found.instead)
        first.setdefault(same, found)
        seen = places.setdefault(same, {})
        seen[found.where] = max(seen.get(found.where, 0), found.count)
    return [replace(found, count=sum(places[same].values())) for same, found in first.items()]


def of_severity(severity: Severity, findings: Iterable[Finding]) -> list[Finding]:
    """Return those of *findings* that are so bad."""
    return [found for found in findings if found.severity == severity]
