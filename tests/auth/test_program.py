"""What becomes of a plug-in's processes: real ones, which hang, detach, print for ever."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcks.auth.exec_plugin import API_VERSIONS, Plugin, run
from mcks.errors import AuthError

_ANSWER = {"apiVersion": API_VERSIONS[0], "kind": "ExecCredential", "status": {"token": "t"}}
PRINT_TOKEN = f"echo '{json.dumps(_ANSWER)}'"


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Callable[[], list[int]]]:
    """The processes that scripts have noted (``note PID``); they are killed when the test ends."""

    def noted() -> list[int]:
        return [int(file.name) for file in tmp_path.glob("[0-9]*")]

    yield noted
    for pid in filter(is_running, noted()):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Plugin]:
    """Make a plug-in of a shell script."""

    def write(body: str) -> Plugin:
        path = tmp_path / "plugin"
        path.write_text(f"#!/bin/bash\nnote() {{ : > {tmp_path}/$1; }}\n{body}\n")
        path.chmod(0o700)
        return Plugin(str(path))

    return write


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcks.auth.exec_plugin._DEADLINE", 1.0)


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


async def all_end(pids: list[int]) -> None:
    """Return when none of *pids* runs: who was killed ends a moment later."""
    async with asyncio.timeout(10):
        while any(map(is_running, pids)):
            await asyncio.sleep(0.01)


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "body",
    [
        "note $$; exec sleep 603",
        "sleep 603 & note $!; note $$; wait",
        "note $$; bash -c 'sleep 603' ; true",
        "set -m; sleep 603 & note $!; note $$; wait",
        "trap '' TERM INT HUP; sleep 603 & note $!; note $$; wait",
    ],
    ids=["itself", "a child", "a child's child", "a child in its own group", "deaf to signals"],
)
async def test_one_that_hangs_ends_in_time_and_leaves_nothing_running(
    script: Callable[[str], Plugin], pids: Callable[[], list[int]], body: str
) -> None:
    began = time.monotonic()
    with pytest.raises(AuthError, match="not done in 1 seconds, so it was killed"):
        await run(script(body))
    assert time.monotonic() - began < 20
    assert pids()
    await all_end(pids())


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
async def test_the_next_log_in_works_after_one_that_hung(script: Callable[[str], Plugin]) -> None:
    with pytest.raises(AuthError, match="killed"):
        await run(script("sleep 603"))
    assert (await run(script(PRINT_TOKEN))).token == "t"


async def test_a_child_that_is_left_behind_is_ended(
    script: Callable[[str], Plugin], pids: Callable[[], list[int]]
) -> None:
    assert (await run(script(f"sleep 603 & note $!; {PRINT_TOKEN}"))).token == "t"
    await all_end(pids())


@pytest.mark.usefixtures("pids")
async def test_who_has_detached_itself_and_holds_the_output_holds_up_nobody(
    script: Callable[[str], Plugin],
) -> None:
    async with asyncio.timeout(20):
        body = "export -f note; setsid bash -c 'note $$; exec sleep 603' &"
        assert (await run(script(f"{body} {PRINT_TOKEN}"))).token == "t"


@pytest.mark.parametrize("body", ["note $$; exec yes", "yes & note $!; note $$; wait"])
async def test_one_that_prints_for_ever_is_told_so(
    script: Callable[[str], Plugin], pids: Callable[[], list[int]], body: str
) -> None:
    async with asyncio.timeout(20):
        with pytest.raises(AuthError, match="prints more than 1 MiB, so it was killed"):
            await run(script(body))
    await all_end(pids())


async def test_a_cancelled_log_in_leaves_nothing_running(
    script: Callable[[str], Plugin], pids: Callable[[], list[int]]
) -> None:
    task = asyncio.create_task(run(script("sleep 603 & note $!; note $$; wait")))
    async with asyncio.timeout(20):
        while len(pids()) < 2:
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await all_end(pids())


async def test_one_that_is_killed_by_others_is_told_so(script: Callable[[str], Plugin]) -> None:
    with pytest.raises(AuthError, match="it ended with signal 9"):
        await run(script("kill -KILL $$"))


async def test_no_file_stays_open(script: Callable[[str], Plugin]) -> None:
    await run(script(PRINT_TOKEN))
    before = len(list(Path("/proc/self/fd").iterdir()))
    await run(script(PRINT_TOKEN))
    for body in ("yes", "exit 3"):
        with pytest.raises(AuthError):
            await run(script(body))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
