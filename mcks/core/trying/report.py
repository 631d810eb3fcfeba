"""What trying a cluster gave, step by step. How it is shown does not belong here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

STEPS = ("discover", "mint", "connect", "authorise", "gateway")
Result = Literal["ok", "warning", "failed", "skipped"]


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
