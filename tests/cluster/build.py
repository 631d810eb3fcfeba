"""Runs the programs that build things, and says what takes long; knows nothing of what is built."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NO_DEBUGGING = "-gcflags=all=-dwarf=false"
"""For `go build`: a tenth of the time is for debuggers."""
_REPEAT_SECONDS = 15.0


def say(text: str) -> None:
    """A progress line for people; standard output belongs to what programs read."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(what: str, *, quiet_below: float = 0.0) -> Iterator[None]:
    """Say that ``what`` goes on, how long it has gone on, and how long it took.

    A step that ends within ``quiet_below`` seconds says nothing at all.
    """
    started = time.monotonic()
    done = threading.Event()
    if not quiet_below:
        say(f"{what} ...")

    def remind() -> None:
        while not done.wait(_REPEAT_SECONDS):
            say(f"{what} ... {time.monotonic() - started:.0f} s")

    reminder = threading.Thread(target=remind, daemon=True)
    reminder.start()
    try:
        yield
    finally:
        done.set()
        reminder.join()
    if (seconds := time.monotonic() - started) >= quiet_below:
        say(f"{what}: done in {seconds:.1f} s")


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    """Run a program to its end and return what it printed.

    Raises RuntimeError with the command's last lines when it fails.
    """
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-20:])
        command = " ".join(str(word) for word in argv)
        raise RuntimeError(f"`{command}` failed with exit code {done.returncode}:\n{last}")
    return done.stdout
