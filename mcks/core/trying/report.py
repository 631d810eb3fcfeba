"""What trying a cluster gave, step by step. How it is shown does not belong here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

STEPS = ("discover", "mint", "connect", "authorise", "objects", "gateway")
START = ("start", "hub", "answer", "host", "tls", "path", "body", "websocket", "end")
"""Further steps, of a server that is started for a moment."""
CODES_OF_STEPS = {
    **{step: f"MCKS{300 + number}" for number, step in enumerate(STEPS)},
    **{step: f"MCKS{310 + number}" for number, step in enumerate(START)},
}
Result = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True)
class Step:
    """One of STEPS or START. *what* was found, and for a failure or a warning what *to_do*."""

    step: str
    result: Result
    what: str
    to_do: str = ""

    @property
    def code(self) -> str:
        """Which of the codes of a check it is, "" if nothing is wrong."""
        return CODES_OF_STEPS[self.step] if self.result in ("failed", "warning") else ""


@dataclass(frozen=True)
class Report:
    """All steps of one cluster, in order."""

    cluster: str
    steps: tuple[Step, ...]

    @property
    def ok(self) -> bool:
        """Whether servers can be started there: warnings and skipped steps do not matter."""
        return all(step.result != "failed" for step in self.steps)

    @property
    def has_warnings(self) -> bool:
        """Whether a step found what works and is doubtful."""
        return any(step.result == "warning" for step in self.steps)
