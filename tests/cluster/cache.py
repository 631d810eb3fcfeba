"""Built things, kept between runs and between checkouts; how each is built is told elsewhere.

An entry is a directory named after a hash of everything that went into it. It counts only when
its mark of completion is there, which is written last: a build that was killed is made anew. The
entries are built in their final place, because virtual environments cannot be moved.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_COMPLETE = ".complete"


def cache_root() -> Path:
    """MCKS_CACHE, or ``mcks`` in the user's cache directory."""
    if chosen := os.environ.get("MCKS_CACHE"):
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "mcks"


def key(*inputs: str | bytes | Path) -> str:
    """A hash of texts and of files' contents: the same inputs, the same key, on every machine."""
    digest = hashlib.sha256()
    for value in inputs:
        data = value.read_bytes() if isinstance(value, Path) else value
        data = data.encode() if isinstance(data, str) else data
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def is_complete(name: str, entry_key: str) -> bool:
    """True if the entry needs no build."""
    return (cache_root() / f"{name}-{entry_key}" / _COMPLETE).exists()


def entry(name: str, entry_key: str, build: Callable[[Path], None]) -> Path:
    """The directory of an entry, built by ``build(directory)`` if it is not there yet.

    Two commands at once build it once: the second waits. What ``build`` raises is passed on, and
    the next call starts from an empty directory.
    """
    directory = cache_root() / f"{name}-{entry_key}"
    if (directory / _COMPLETE).exists():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with _locked(directory.with_name(f".{directory.name}.lock")):
        if not (directory / _COMPLETE).exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            with _readable_by_all():
                build(directory)
            (directory / _COMPLETE).touch()
    return directory


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _readable_by_all() -> Iterator[None]:
    before = os.umask(0o022)  # pods read these files as another user
    try:
        yield
    finally:
        os.umask(before)
