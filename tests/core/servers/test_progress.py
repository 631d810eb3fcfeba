"""Every viewer is told of a start from its beginning."""

from __future__ import annotations

import asyncio
from typing import Any

from mcks.core.servers.progress import Progress, duration


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def collect(progress: Progress) -> list[tuple[int, str]]:
    return [(line["progress"], line["message"]) async for line in progress.follow()]


async def first(progress: Progress, number: int) -> list[dict[str, Any]]:
    """Return the first lines that one viewer sees."""
    lines: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        async for line in progress.follow():
            lines.append(line)
            if len(lines) == number:
                break
    return lines


async def test_every_viewer_sees_everything_from_the_beginning() -> None:
    progress = Progress(Clock())
    progress.say("one", 10)
    early = asyncio.create_task(collect(progress))
    await asyncio.sleep(0)
    progress.say("two", 20)
    late = asyncio.create_task(collect(progress))
    await asyncio.sleep(0)
    progress.say("three")
    progress.end()
    expected = [(10, "one"), (20, "two"), (20, "three")]
    assert await early == expected
    assert await late == expected


async def test_a_viewer_misses_nothing_that_is_said_while_a_line_is_on_its_way() -> None:
    progress = Progress(Clock())
    progress.say("one", 10)
    seen = []
    async for line in progress.follow():
        seen.append(line["message"])
        if len(seen) == 1:
            progress.say("two", 20)
            progress.say("three", 30)
        if len(seen) == 3:
            progress.say("four", 40)
            progress.end()
    assert seen == ["one", "two", "three", "four"]


async def test_percents_never_go_back_and_messages_do_not_repeat() -> None:
    progress = Progress(Clock())
    progress.say("one", 50)
    progress.say("one", 60)
    progress.say("long passed", 10)
    progress.say("of no step")
    progress.say("one")
    progress.end()
    assert await collect(progress) == [(50, "one"), (60, "of no step")]


async def test_each_line_says_when_it_came() -> None:
    clock = Clock()
    progress = Progress(clock)
    progress.say("Connecting", 5)
    clock.now += 3.2
    progress.say("Scheduled", 40)
    clock.now += 72
    progress.say("Fetched", 60)
    clock.now += 1
    progress.say("Scheduled", 40)
    progress.end()
    assert [line async for line in progress.follow()] == [
        {"progress": 5, "message": "Connecting", "seconds": 0.0},
        {"progress": 40, "message": "Scheduled (after 3 s)", "seconds": 3.2},
        {"progress": 60, "message": "Fetched (after 1 min 15 s)", "seconds": 75.2},
    ]


async def test_while_nothing_happens_the_bar_goes_on_and_the_step_is_told_again() -> None:
    clock = Clock()
    progress = Progress(clock, silence=[0.001])
    progress.say("Fetching", 50)
    progress.say("A notice")
    viewer = progress.follow()
    seen = [await anext(viewer), await anext(viewer)]
    for _ in range(100):
        clock.now += 10
        seen.append(await anext(viewer))
    assert seen[2]["message"] == "Fetching (for 10 s now)"
    percents = [line["progress"] for line in seen]
    assert percents == sorted(percents)
    assert percents[2] > 50
    assert percents[-1] < 65
    progress.say("Fetched", 55)  # less than the bar has crept to
    async with asyncio.timeout(10):
        while not (line := await anext(viewer))["message"].startswith("Fetched"):
            pass
    assert line["progress"] == percents[-1]
    progress.end()
    assert [line async for line in viewer] == []


async def test_the_bar_is_never_full_before_the_server_is_ready() -> None:
    clock = Clock()
    progress = Progress(clock, silence=[0.001])
    progress.say("The server answers", 95)
    clock.now += 10_000
    assert [line["progress"] for line in await first(progress, 3)] == [95, 99, 99]


async def test_silence_before_the_first_step_is_silent() -> None:
    progress = Progress(Clock(), silence=[0.001])
    progress.say("A notice")
    assert len(await first(progress, 1)) == 1
    seen = asyncio.create_task(collect(progress))
    done, _ = await asyncio.wait([seen], timeout=0.05)
    assert not done
    progress.end()
    assert await seen == [(0, "A notice")]


async def test_viewers_end_at_once() -> None:
    progress = Progress()
    progress.say("one", 10)
    viewers = [asyncio.create_task(collect(progress)) for _ in range(3)]
    await asyncio.sleep(0)
    progress.end()
    async with asyncio.timeout(1):
        assert await asyncio.gather(*viewers) == [[(10, "one")]] * 3


async def test_memory_is_bounded() -> None:
    progress = Progress()
    for number in range(10_000):
        progress.say(str(number))
    progress.end()
    assert len(await collect(progress)) == 200


def test_durations_grow() -> None:
    told = [duration(seconds) for seconds in (0, 1.9, 59.9, 60, 3600)]
    assert told == ["0 s", "1 s", "59 s", "1 min 0 s", "60 min 0 s"]


async def test_each_cluster_that_is_tried_has_room_for_its_lines() -> None:
    progress = Progress()
    for number in range(500):
        progress.say(f"event {number}")
    progress.again("a: no place. Trying b next")
    progress.say("Connecting to b", 5)
    progress.end()
    told = [message for _, message in await collect(progress)]
    assert told[-2:] == ["a: no place. Trying b next", "Connecting to b"]
