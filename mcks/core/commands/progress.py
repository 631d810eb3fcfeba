"""One line on a terminal that says how far a long command is, and goes when it is done.

What is done does not belong here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

_QUIET = 2.0
"""Seconds in which nobody wonders."""
_PAUSE = 0.1
"""Seconds between two looks of the line."""
_ERASE = "\r\x1b[K"


class Progress:
    """Writes to *stream* if that is a terminal."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._is_seen = stream.isatty()
        self._next = clock() + _QUIET
        self._is_written = False

    def say(self, what: str, done: int, of: int) -> None:
        """Show that *done* *of* so many are behind us."""
        if not self._is_seen or self._clock() < self._next:
            return
        self._next = self._clock() + _PAUSE
        self._stream.write(f"{_ERASE}{what}: {done} of {of}")
        self._stream.flush()
        self._is_written = True

    def end(self) -> None:
        """Take the line away."""
        if self._is_written:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._is_written = False


@contextmanager
def progress(stream: TextIO) -> Iterator[Progress]:
    """Give a line on *stream*, which goes at the end."""
    line = Progress(stream)
    try:
        yield line
    finally:
        line.end()
