"""axe-core, which finds what keeps people with disabilities out of a page; pages.py asks it."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import npm

_SOURCE = Path(__file__).parent / "axe"


def axe_script() -> Path:
    """The script to run in a page, as the lock file in ``axe`` names it. Raises CannotRunHere."""
    return npm.installed(_SOURCE) / "axe-core" / "axe.min.js"
