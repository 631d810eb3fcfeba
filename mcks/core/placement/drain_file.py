"""The file that says which clusters are drained: written by ``mcks drain``, read by the hub.

What is in it (drains.py) does not belong here.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from mcks.core.placement.drains import PAUSE, Drain, as_text, parse, with_reason
from mcks.errors import ConfigError

NAME = "mcks_drained.json"
_READABLE = 0o644
"""Whoever runs the command may be another user than the hub, and no secret is in the file."""


def place(said: str, db_url: str) -> Path:
    """Return where the file is: as ``drain_file`` has *said*, else beside the hub's SQLite
    database, else in the working directory."""
    beside = (database_file(db_url) or Path(NAME)).with_name(NAME)
    return (Path(said) if said else beside).absolute()


def database_file(db_url: str) -> Path | None:
    """Return the file of an SQLite database, None for any other."""
    with contextlib.suppress(ArgumentError):
        url = make_url(db_url if "://" in db_url else f"sqlite:///{db_url}")
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            return Path(str(url.database))
    return None


def read(path: Path) -> dict[str, Drain]:
    """Return which clusters are drained; none if there is no file. Raises ConfigError."""
    try:
        return parse(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read: {_why(exc)}") from exc
    except ConfigError as exc:
        raise ConfigError(f"{path}: {exc}; correct or delete it") from None


def change(path: Path, edit: Callable[[dict[str, Drain]], None]) -> None:
    """Let *edit* change what is in the file, one command after the other. Raises ConfigError."""
    path = path.resolve()  # a link stays a link
    try:
        with _alone(path.parent):
            drained = read(path)
            edit(drained)
            _replace(path, as_text(drained))
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written: {_why(exc)}") from exc


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lock *folder* against other commands, where its file system can do that."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # NFS may refuse; two commands at once are rare
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
        os.fsync(opened)  # so that the new name lasts
    finally:
        os.close(opened)


def _replace(path: Path, text: str) -> None:
    """Put *text* in the place of what *path* has: a reader sees the one or the other, whole."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(number, "w") as file:
            os.fchmod(number, _READABLE)
            file.write(text)
            file.flush()
            os.fsync(number)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _why(exc: OSError | UnicodeDecodeError) -> str:
    return (exc.strerror if isinstance(exc, OSError) else "") or str(exc)


class DrainFile:
    """The file at *path* as a hub reads it: looked at once a second at most, when somebody asks.

    While it cannot be read, what it said last holds, and the log says so once.
    """

    def __init__(
        self, path: Path, log: logging.Logger, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._log, self._now = path, log, now
        self._next = 0.0
        self._seen: tuple[int, ...] | None = None
        self._drained: dict[str, Drain] = {}
        self._told = ""

    def current(self) -> Mapping[str, Drain]:
        """Return which clusters are drained, by name."""
        if self._now() >= self._next:
            self._next = self._now() + PAUSE
            self._look()
        return self._drained

    def _look(self) -> None:
        try:
            seen = _version(self._path)
            if seen == self._seen and not self._told:
                return
            drained = read(self._path)
        except ConfigError as exc:
            self._tell(str(exc))
            return
        self._tell_changes(drained)
        self._seen, self._drained, self._told = seen, drained, ""

    def _tell(self, problem: str) -> None:
        if problem != self._told:
            self._told = problem
            self._log.error("%s: what it said before holds", problem)

    def _tell_changes(self, drained: Mapping[str, Drain]) -> None:
        for name in drained.keys() - self._drained.keys():
            told = with_reason("takes no new servers.", drained[name].reason)
            self._log.warning("Cluster %r %s", name, told)
        for name in self._drained.keys() - drained.keys():
            self._log.warning("Cluster %r takes new servers again", name)


def _version(path: Path) -> tuple[int, ...] | None:
    """Return what differs as soon as the file is another; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {_why(exc)}") from exc
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise ConfigError(f"{path} is a pipe or a device, which would hold up the hub")
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
