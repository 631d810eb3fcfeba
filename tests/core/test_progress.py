from __future__ import annotations

import asyncio

from mcks.core.progress import Progress


async def collect(progress: Progress) -> list[tuple[int, str]]:
    return [(line["progress"], line["message"]) async for line in progress.follow()]


async def test_every_viewer_sees_everything_from_the_beginning() -> None:
    progress = Progress()
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


async def test_percents_never_go_back_and_messages_do_not_repeat() -> None:
    progress = Progress()
    progress.say("one", 50)
    progress.say("one", 60)
    progress.say("long passed", 10)
    progress.say("of no step")
    progress.say("one")
    progress.end()
    assert await collect(progress) == [(50, "one"), (60, "of no step")]


async def test_memory_is_bounded() -> None:
    progress = Progress()
    for number in range(10_000):
        progress.say(str(number))
    progress.end()
    assert len(await collect(progress)) == 200
