"""Who may do what with a set at the same time: one changes it, or many use it.

The locks belong to open files, so a killed process holds none. They lie outside the state
directory, because they outlive it, and they are found by the set's name only: two checkouts, or
two state directories, are the same machine.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.cluster import build

_DIRECTORY = Path("/run")
_WORTH_TELLING = 5.0
"""Seconds of waiting: a kubelet needs less to start, and another is waiting for it."""


class InUse(RuntimeError):
    """Another process changes or uses the set; the text says which."""


def lock_files(set_name: str) -> tuple[Path, Path]:
    """The file of who changes the set, and the file of those who use it."""
    return _DIRECTORY / f"{set_name}-clusters.lock", _DIRECTORY / f"{set_name}-clusters.users"


@contextmanager
def changing(name: str, seconds: float = 1800.0) -> Iterator[None]:
    """Hold a set alone while it is brought up or down; wait for another who does.

    *name* is the set's, or that of what sets have in common: addresses, say.

    Raises InUse when the other does not end in time.
    """
    path = lock_files(name)[0]
    file = _acquire(path, fcntl.LOCK_EX)
    began, told = time.monotonic(), False
    while file is None:
        waited = time.monotonic() - began
        if waited > seconds:
            raise InUse(f"process {_owner(path)} is still busy with {name}")
        if waited > _WORTH_TELLING and not told:
            build.say(f"waiting: process {_owner(path)} is busy with {name}")
            told = True
        time.sleep(0.2)
        file = _acquire(path, fcntl.LOCK_EX)
    try:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


class Use:
    """A claim that a set is in use, held until release() or the process's end."""

    def __init__(self, set_name: str) -> None:
        """Claim it, be it up or not yet."""
        self._set_name = set_name
        path = lock_files(set_name)[1]
        deadline = time.monotonic() + 10.0
        while (file := _acquire(path, fcntl.LOCK_SH)) is None:  # another looks, for a moment
            if time.monotonic() > deadline:
                raise InUse(f"{path} is locked by another process")
            time.sleep(0.01)
        self._file = file

    def release(self) -> bool:
        """Give the claim back; True if nobody else has one."""
        self._file.close()
        return not in_use(self._set_name)


def in_use(set_name: str) -> bool:
    """True if any process has a claim."""
    path = lock_files(set_name)[1]
    file = _acquire(path, fcntl.LOCK_EX)
    if file is None:
        return True
    path.unlink(missing_ok=True)
    file.close()
    return False


def _acquire(path: Path, kind: int) -> IO[str] | None:
    """The locked file, or None if another holds it. Whoever unlocks it removes the file."""
    while True:
        file = path.open("a+")
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        if path.exists() and os.fstat(file.fileno()).st_ino == path.stat().st_ino:
            return file
        file.close()  # it was removed between open and lock: that lock keeps nobody out


def _owner(path: Path) -> str:
    try:
        return path.read_text() or "?"
    except OSError:
        return "?"
