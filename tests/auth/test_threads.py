"""Calls that never end hold up only their own log-in: by counts, not by a clock."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from mcks.auth import threads
from mcks.auth.threads import in_thread


class Held:
    """Calls that are silent until the test has ended."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.began = 0

    def wait(self) -> None:
        self.began += 1
        self.over.wait()


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.over.set()


async def hang(cloud: str, login: str, held: Held, calls: int = 1) -> list[asyncio.Task[None]]:
    """Begin *calls* of *login* that do not end."""
    tasks = [asyncio.create_task(in_thread(cloud, login, held.wait)) for _ in range(calls)]
    await asyncio.sleep(0)
    return tasks


async def test_a_call_gives_its_result_and_its_error() -> None:
    assert await in_thread("AWS", "a", lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread("AWS", "a", lambda: 1 / 0)


async def test_a_silent_log_in_takes_few_threads_and_no_others_turn(held: Held) -> None:
    await hang("AWS", "dead", held, calls=50)
    assert await in_thread("AWS", "healthy", lambda: "done") == "done"
    assert held.began == threads._EACH


async def test_many_silent_log_ins_hold_up_another_of_their_cloud_for_a_moment_only(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_PATIENCE", 0.01)
    for number in range(20):
        await hang("AWS", f"dead {number}", held)
    assert await in_thread("AWS", "healthy", lambda: "done") == "done"


async def test_many_silent_log_ins_do_not_hold_up_another_cloud(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_PATIENCE", 3600)
    for number in range(20):
        await hang("AWS", f"dead {number}", held)
    assert held.began == threads._AT_WORK
    assert await in_thread("Google", "healthy", lambda: "done") == "done"


async def test_who_gives_up_leaves_room_only_when_the_call_has_ended(
    held: Held,
) -> None:
    for task in await hang("AWS", "dead", held, calls=threads._EACH):
        task.cancel()
    next_one = asyncio.create_task(in_thread("AWS", "dead", lambda: "done"))
    await in_thread("AWS", "healthy", lambda: None)
    assert not next_one.done()
    held.over.set()
    assert await next_one == "done"


async def test_who_gives_up_while_waiting_takes_no_room(held: Held) -> None:
    await hang("AWS", "dead", held, calls=threads._EACH)
    for task in await hang("AWS", "dead", held, calls=5):
        task.cancel()
    held.over.set()
    results = [in_thread("AWS", "dead", lambda: "done") for _ in range(threads._EACH)]
    assert await asyncio.gather(*results) == ["done"] * threads._EACH


def test_a_hub_ends_although_calls_do_not() -> None:
    program = """
import asyncio, threading
from mcks.auth.threads import in_thread

async def hub():
    asyncio.create_task(in_thread("AWS", "dead", threading.Event().wait))
    await in_thread("AWS", "healthy", lambda: None)

asyncio.run(hub())
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


async def test_a_call_that_would_end_the_process_ends_itself_only() -> None:
    for _ in range(threads._EACH + 1):
        with pytest.raises(RuntimeError, match="SystemExit in a thread"):
            await in_thread("AWS", "a", sys.exit)
