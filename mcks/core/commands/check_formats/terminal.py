"""What a look at a configuration gave, for a person at a terminal: columns, and colours.

Lines for files and pipes, and JSON, do not belong here (output.py).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from mcks.core.checking.codes import Severity
from mcks.core.checking.finding import Finding, of_severity
from mcks.core.commands.check_formats.output import number, plain

_COLOURS: dict[Severity, str] = {"error": "31", "warning": "33", "note": "2"}
_ORDER: tuple[Severity, ...] = ("note", "warning", "error")
"""The worst last: a terminal shows the end."""
_MARGIN = " " * 9
_NARROWEST = 40


def shows_colours(environment: Mapping[str, str]) -> bool:
    """Say whether a terminal may be sent colours (https://no-color.org)."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def table(found: Sequence[Finding], *, width: int, colours: bool) -> str:
    """Lay *found* out: a head line for each place, below it what is wrong and what to do."""
    rows = [
        line
        for severity in _ORDER
        for finding in of_severity(severity, found)
        for line in _rows(finding, max(width, _NARROWEST), colours)
    ]
    return "\n".join([*rows, f"{number(found)} found"]) + "\n"


def _rows(finding: Finding, width: int, colours: bool) -> Iterator[str]:
    head = f"{finding.severity:<8}"
    if colours:
        head = f"\x1b[{_COLOURS[finding.severity]}m{head}\x1b[0m"
    yield f"{head} {finding.code}  {plain(finding.place)}".rstrip()
    for paragraph in (*finding.what.splitlines(), f"-> {finding.remedy}"):
        printable = "".join(c for c in paragraph if c.isprintable())
        yield from textwrap.wrap(
            printable,
            width,
            initial_indent=_MARGIN,
            subsequent_indent=_MARGIN,
            break_long_words=False,
            break_on_hyphens=False,
        )
