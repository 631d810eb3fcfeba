"""What ``mcks check`` found out, as workflow commands by which GitHub marks lines of a change.

What is found does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mcks.core.checking.codes import CODES, Severity
from mcks.core.checking.finding import Finding
from mcks.core.trying.report import Report

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
_STEPS = {"failed": "error", "warning": "warning"}


def workflow_commands(found: Sequence[Finding], reports: Sequence[Report]) -> str:
    """Write a workflow command for each of *found*, and for each step that went wrong."""
    return "".join(f"{line}\n" for line in (*map(_of_finding, found), *_of_reports(reports)))


def _of_finding(finding: Finding) -> str:
    said = {
        "file": finding.file,
        "line": str(finding.line or ""),
        "title": f"{finding.code}: {CODES[finding.code].title}",
    }
    told = str(finding) if finding.instead else f"{finding}\n{finding.remedy}"
    return _command(_COMMANDS[finding.severity], said, told)


def _of_reports(reports: Sequence[Report]) -> Iterator[str]:
    for report in reports:
        for step in report.steps:
            if command := _STEPS.get(step.result):
                title = {"title": f"{step.code}: cluster {report.cluster}: {step.step}"}
                yield _command(command, title, f"{step.what}\n{step.to_do}".rstrip())


def _command(name: str, properties: dict[str, str], text: str) -> str:
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name} {said}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
