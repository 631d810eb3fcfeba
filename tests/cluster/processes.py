"""Daemons of a set: start, find again, end. What they are is told by the modules that name them.

A process is known by its id and its start time together, because ids are used again. Daemons
outlive the command that started them; each has an own session, a log, and the set's mark in its
environment, by which it is found even when its record is lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.names import PROCESS_MARK
from tests.cluster.state import write_private

_PROC = Path("/proc")
INTERRUPTIBLE = ("env", "--default-signal=INT")
"""Before a command: shells' background jobs and pytest-xdist ignore SIGINT; that is inherited.

What runs below containerd, such as a kernel in a container, could not be interrupted.
"""
# The daemon must not be a child of a test run, which would have to reap it: setsid forks, so that
# it belongs to PID 1.
_DETACHED = ("setsid", "--fork", *INTERRUPTIBLE)
_LAUNCH = 'echo $$; log=$1; shift; exec "$@" </dev/null >>"$log" 2>&1'


@dataclass(frozen=True)
class Process:
    """A process as /proc tells of it; ``started`` is in clock ticks since boot."""

    pid: int
    started: int

    def alive(self) -> bool:
        """True while it runs. A zombie is gone: nothing but its parent can see it any more."""
        return find(self.pid) == self

    def signal(self, number: int) -> None:
        """Send a signal, to this very process or to none."""
        with contextlib.suppress(ProcessLookupError):
            if self.alive():
                os.kill(self.pid, number)


def parse_stat(text: str) -> tuple[str, int]:
    """The state letter and the start time in a line of /proc/PID/stat (proc(5))."""
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def find(pid: int) -> Process | None:
    """The living process with this id, or None."""
    try:
        letter, started = parse_stat((_PROC / str(pid) / "stat").read_text())
    except (OSError, IndexError, ValueError):
        return None
    return None if letter in "ZX" else Process(pid, started)


def end(processes: Iterable[Process], grace: float) -> None:
    """Terminate and, after ``grace`` seconds, kill. Returns when all are gone."""
    living = [process for process in processes if process.alive()]
    if grace > 0:
        for process in living:
            process.signal(signal.SIGTERM)
        living = _await_end(living, grace)
    for process in living:
        process.signal(signal.SIGKILL)
    if stuck := _await_end(living, 10):
        raise RuntimeError(f"could not kill {', '.join(str(p.pid) for p in stuck)}")


def _await_end(processes: list[Process], seconds: float) -> list[Process]:
    deadline = time.monotonic() + seconds
    while processes and time.monotonic() < deadline:
        time.sleep(0.02)
        processes = [process for process in processes if process.alive()]
    return processes


def marked(set_name: str | None = None) -> Iterator[Process]:
    """Every living process that bears the set's mark (None: any set's), whoever started it."""
    prefix = f"{PROCESS_MARK}={set_name}/".encode() if set_name else f"{PROCESS_MARK}=".encode()
    for pid in _pids():
        try:
            environment = (_PROC / str(pid) / "environ").read_bytes()
        except OSError:
            continue
        if any(entry.startswith(prefix) for entry in environment.split(b"\0")) and (
            process := find(pid)
        ):
            yield process


def in_cgroups(tags: Iterable[str]) -> Iterator[Process]:
    """Every living process in a cgroup ``/TAG`` or below: containers carry no mark."""
    wanted = tuple(tags)
    for pid in _pids():
        try:
            text = (_PROC / str(pid) / "cgroup").read_text()
        except OSError:
            continue
        if cgroup_tags(text).intersection(wanted) and (process := find(pid)):
            yield process


def cgroup_tags(text: str) -> set[str]:
    """The first parts of the cgroup paths in a /proc/PID/cgroup file."""
    paths = (line.split(":", 2)[2] for line in text.splitlines() if line.count(":") >= 2)
    return {path.split("/")[1] for path in paths if path.startswith("/")}


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def command_line(process: Process) -> str:
    """What it was started as, for messages."""
    try:
        return (_PROC / str(process.pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return "(gone)"


@dataclass(frozen=True)
class Daemons:
    """The daemons of one cluster, with their records and logs in its directory."""

    directory: Path
    mark: str

    def log(self, name: str) -> Path:
        return self.directory / "log" / f"{name}.log"

    def start(self, name: str, argv: Sequence[str | Path]) -> None:
        """Start a daemon unless it runs already."""
        if self.running(name):
            return
        log = self.log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        launch = [*_DETACHED, "sh", "-c", _LAUNCH, "sh", log, *argv]
        environment = {**os.environ, PROCESS_MARK: self.mark}
        answer = subprocess.run(
            launch, check=True, stdout=subprocess.PIPE, text=True, cwd="/", env=environment
        )
        if process := find(int(answer.stdout)):
            record = {"pid": process.pid, "started": process.started}
            write_private(self._record(name), json.dumps(record))

    def running(self, name: str) -> Process | None:
        """The daemon's process, or None if it does not run."""
        try:
            process = Process(**json.loads(self._record(name).read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return process if process.alive() else None

    def stop(self, name: str, grace: float) -> None:
        """End a daemon: SIGTERM, and SIGKILL after ``grace`` seconds (0: at once)."""
        if process := self.running(name):
            end([process], grace)
        self._record(name).unlink(missing_ok=True)

    def tail(self, name: str, lines: int = 15) -> str:
        """The last lines of its log, for error messages."""
        try:
            return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"

    def _record(self, name: str) -> Path:
        return self.directory / "run" / f"{name}.json"
