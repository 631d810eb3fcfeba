"""Counts calls of functions, to show that a work does not grow with what it should not know."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def counted() -> Iterator[list[str]]:
    """Give the names of the functions that are called in the block, those of C aside.

    What was garbage before is no part of it.
    """
    names: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            names.append(frame.f_code.co_qualname)

    before, collects = sys.getprofile(), gc.isenabled()
    gc.disable()
    sys.setprofile(note)
    try:
        yield names
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()
