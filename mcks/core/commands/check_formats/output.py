"""What ``mcks check`` found out, as lines for files and pipes and as JSON for programs.

Finding it out does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mcks.core.checking.finding import Finding, of_severity
from mcks.core.commands import layout
from mcks.core.trying.report import Report, Step

_HEADINGS = ("CLUSTER", "STEP", "RESULT", "WHAT")


def lines(found: Sequence[Finding]) -> str:
    """Write a line for each of *found*, notes first, and how many problems there are."""
    told = [f"note: {_coded(note)}" for note in of_severity("note", found)]
    told += [f"warning: {_coded(warning)}" for warning in of_severity("warning", found)]
    told += [f"- {_coded(error)}" for error in of_severity("error", found)]
    return "\n".join([*told, f"{number(found)} found"]) + "\n"


def _coded(finding: Finding) -> str:
    return f"{finding} [{finding.code}]"


def number(found: Sequence[Finding]) -> str:
    """Say how many errors and warnings there are among *found*."""
    errors = layout.counted(len(of_severity("error", found)), "problem")
    warnings = len(of_severity("warning", found))
    return f"{errors} and {layout.counted(warnings, 'warning')}" if warnings else errors


def table(reports: Sequence[Report]) -> str:
    """Lay the reports out for a terminal: a line for each step, and one for what to do."""
    rows = [_HEADINGS]
    for report in reports:
        name = plain(report.cluster)
        for step in report.steps:
            result = step.result.upper() if step.result == "failed" else step.result
            rows.append((name, step.step, result, plain(step.what)))
            if step.to_do:
                rows.append(("", "", "", f"-> {plain(step.to_do)} [{step.code}]"))
            name = ""
    return "\n".join([*layout.columns(rows), "", _summary(reports)]) + "\n"


def as_json(
    found: Sequence[Finding], reports: Sequence[Report], drained: Sequence[Mapping[str, str]] = ()
) -> str:
    """Give the same for programs.

    ``{"problems": [...], "warnings": [...], "notes": [...], "findings": [{code, severity, where,
    what, instead, count, file, line}], "clusters": [{cluster, ok, steps}], "drained": [...]}``
    """
    clusters: list[dict[str, Any]] = [
        {"cluster": report.cluster, "ok": report.ok, "steps": [*map(_step, report.steps)]}
        for report in reports
    ]
    return layout.as_json(
        {
            "problems": [str(error) for error in of_severity("error", found)],
            "warnings": [str(warning) for warning in of_severity("warning", found)],
            "notes": [str(note) for note in of_severity("note", found)],
            "findings": [_finding(finding) for finding in found],
            "clusters": clusters,
            "drained": list(drained),
        }
    )


def _step(step: Step) -> dict[str, Any]:
    return {**asdict(step), "code": step.code}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "where": finding.where,
        "what": finding.what,
        "instead": finding.remedy,
        "count": finding.count,
        "file": finding.file,
        "line": finding.line,
    }


def _summary(reports: Sequence[Report]) -> str:
    good = sum(report.ok for report in reports)
    return f"{good} of {layout.counted(len(reports), 'cluster')} can be used"


def plain(text: str) -> str:
    """One line, and nothing that a terminal would obey: clouds' own words are shown."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
