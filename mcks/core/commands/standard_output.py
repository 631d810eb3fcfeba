"""Keep a command's answer apart from all else that is printed while it runs.

A configuration may print, and so may what it starts; programs read the answer. What the answer is
does not belong here.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

_OUT, _ERR = 1, 2


@contextlib.contextmanager
def reserved() -> Iterator[TextIO]:
    """Give the stream for the answer; everything else, of child processes too, goes to stderr."""
    sys.stdout.flush()
    with contextlib.ExitStack() as stack:
        answer = stack.enter_context(_reopened()) if _is_the_process_own(sys.stdout) else sys.stdout
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield answer
        answer.flush()


@contextlib.contextmanager
def _reopened() -> Iterator[TextIO]:
    """Open standard output anew, and let its number mean standard error meanwhile."""
    kept = os.dup(_OUT)
    os.dup2(_ERR, _OUT)
    answer = open(kept, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False)  # noqa: SIM115
    try:
        yield answer
    finally:
        try:
            answer.close()
        finally:
            os.dup2(kept, _OUT)
            os.close(kept)


def flush() -> None:
    """Write out what argparse has printed; quietly if nobody reads it any more."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the interpreter would try once more, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), _OUT)


def _is_the_process_own(stream: TextIO) -> bool:
    try:
        return stream.fileno() == _OUT
    except (OSError, ValueError):  # replaced by something without a number
        return False
