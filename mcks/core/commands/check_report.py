"""What ``mcks check`` found out about clusters, as a table and as JSON.

Finding it out does not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mcks.core.commands import layout

STEPS = ("discover", "mint", "connect", "authorise", "gateway")
Result = Literal["ok", "warning", "failed", "skipped"]
_HEADINGS = ("CLUSTER", "STEP", "RESULT", "WHAT")


@dataclass(frozen=True)
class Step:
    """One of STEPS. *what* was found, and for a failure or a warning what *to_do* about it."""

    step: str
    result: Result
    what: str
    to_do: str = ""


@dataclass(frozen=True)
class Report:
    """All steps of one cluster, in order."""

    cluster: str
    steps: tuple[Step, ...]

    @property
    def ok(self) -> bool:
        """Whether servers can be started there: warnings and skipped steps do not matter."""
        return all(step.result != "failed" for step in self.steps)


def table(reports: Sequence[Report]) -> str:
    """Lay the reports out for a terminal: a line for each step, and one for what to do."""
    rows = [_HEADINGS]
    for report in reports:
        name = _plain(report.cluster)
        for step in report.steps:
            result = step.result.upper() if step.result == "failed" else step.result
            rows.append((name, step.step, result, _plain(step.what)))
            if step.to_do:
                rows.append(("", "", "", f"-> {_plain(step.to_do)}"))
            name = ""
    return "\n".join([*layout.columns(rows), "", _summary(reports)]) + "\n"


def as_json(problems: Sequence[str], reports: Sequence[Report], notes: Sequence[str] = ()) -> str:
    """Give the same for programs.

    ``{"problems": [...], "notes": [...], "clusters": [{cluster, ok, steps}]}``
    """
    clusters: list[dict[str, Any]] = [
        {"cluster": report.cluster, "ok": report.ok, "steps": [asdict(s) for s in report.steps]}
        for report in reports
    ]
    return layout.as_json({"problems": list(problems), "notes": list(notes), "clusters": clusters})


def _summary(reports: Sequence[Report]) -> str:
    good = sum(report.ok for report in reports)
    return f"{good} of {layout.counted(len(reports), 'cluster')} can be used"


def _plain(text: str) -> str:
    """One line, and nothing that a terminal would obey: clouds' own words are shown."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
