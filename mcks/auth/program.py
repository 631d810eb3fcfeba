"""Runs a program to its end: with a deadline, a bounded output, and nothing of it left behind.

What is run, and what its output means, does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_PROC = Path("/proc")
_TRIES = 20
"""Processes that are just being started are seen the next time one looks."""
_REAPED_AFTER = 5.0
"""Seconds for the kernel to end what was killed; some disks and network shares hold a process."""


class PrintsTooMuch(Exception):
    """A program's output is longer than it may be."""


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it had printed until then."""

    status: int
    output: bytes = field(repr=False)


async def run(
    command: Sequence[str], environment: Mapping[str, str], *, seconds: float, longest: int
) -> Ended:
    """Run *command* without input and without a terminal, and let it print *longest* bytes.

    It is done when the program itself has ended, whoever still holds its output. Whatever it has
    started and not put into a session of its own is killed then. Raises `OSError` if it cannot be
    started, `TimeoutError`, `PrintsTooMuch`.
    """
    with _Output(longest) as output:
        async with _started(command, environment, output.write_end) as process:
            output.follow()
            async with asyncio.timeout(seconds):
                status = await output.unless_too_long(process)
        output.take_rest()
        return Ended(status, output.text())


@asynccontextmanager
async def _started(
    command: Sequence[str], environment: Mapping[str, str], write_end: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    # Its output is no pipe of asyncio's: that takes a process for ended only when all have closed
    # the pipe who inherited it.
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=write_end,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        await asyncio.to_thread(end_session, process.pid)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _REAPED_AFTER)


def end_session(leader: int) -> None:
    """Kill all processes of the session that *leader* began, its other groups included."""
    for _ in range(_TRIES):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
        others = list(_members(leader))
        for process in others:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        if not others:
            return


def _members(session: int) -> Iterator[int]:
    """Find the living processes of *session*; none where there is no ``/proc``."""
    for stat in _PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name before it may hold anything, brackets and blanks included.
            state, _parent, _group, its_session = stat.read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state not in "ZX":
                yield int(stat.parent.name)


class _Output:
    """A pipe, read as it fills, to the end of who writes or of what may be written."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._chunks: list[bytes] = []
        self._size = 0
        self._too_long = asyncio.Event()
        self._followed = False

    def __enter__(self) -> Self:
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        return self

    def __exit__(self, *_: object) -> None:
        self._follow_no_more()
        self._close_write_end()
        os.close(self._read_end)

    def follow(self) -> None:
        """Read in the background; the end for writing is the program's alone from now on."""
        self._close_write_end()
        self._followed = True
        asyncio.get_running_loop().add_reader(self._read_end, self._take)

    async def unless_too_long(self, process: asyncio.subprocess.Process) -> int:
        """Give the exit status of *process*; raise `PrintsTooMuch` as soon as that is so."""
        ends = asyncio.create_task(process.wait())
        too_long = asyncio.create_task(self._too_long.wait())
        try:
            await asyncio.wait({ends, too_long}, return_when=asyncio.FIRST_COMPLETED)
            if self._too_long.is_set():
                raise PrintsTooMuch
            return ends.result()
        finally:
            ends.cancel()
            too_long.cancel()

    def take_rest(self) -> None:
        """Read what is there, which is all that an ended program has written."""
        self._follow_no_more()
        while self._take():
            pass
        if self._too_long.is_set():
            raise PrintsTooMuch

    def text(self) -> bytes:
        return b"".join(self._chunks)

    def _take(self) -> bool:
        """Read some; say whether there may be more."""
        try:
            chunk = os.read(self._read_end, 65536)
        except BlockingIOError:
            return False
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > self._longest:
            self._too_long.set()
        if not chunk or self._too_long.is_set():
            self._follow_no_more()
            return False
        return True

    def _close_write_end(self) -> None:
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def _follow_no_more(self) -> None:
        if self._followed:
            self._followed = False
            asyncio.get_running_loop().remove_reader(self._read_end)
