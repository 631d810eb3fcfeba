"""What all findings of one code have in common. Which codes there are does not belong here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Code:
    """What all findings of one code have in common."""

    title: str
    severity: Severity
    cause: str
    remedy: str


def error(title: str, cause: str, remedy: str) -> Code:
    """Make a code of severity error."""
    return Code(title, "error", cause, remedy)


def warning(title: str, cause: str, remedy: str) -> Code:
    """Make a code of severity warning."""
    return Code(title, "warning", cause, remedy)


def note(title: str, cause: str, remedy: str) -> Code:
    """Make a code of severity note."""
    return Code(title, "note", cause, remedy)
