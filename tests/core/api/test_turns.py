"""Many who would go on at once do so one after another."""

from __future__ import annotations

import asyncio
import selectors

import pytest

from mcks.core.api import turns as turns_module
from mcks.core.api.turns import Places, Turns, as_one_piece


async def test_one_goes_on_in_each_turn_of_the_event_loop_in_the_order_in_which_they_came() -> None:
    turns, turn, went = Turns(), 0, list[tuple[int, int]]()

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async def go(number: int) -> None:
        await turns.next()
        went.append((number, turn))

    counting = asyncio.create_task(count())
    await asyncio.gather(*(go(number) for number in range(20)))
    counting.cancel()
    assert [number for number, _ in went] == list(range(20))
    assert len({turn for _, turn in went}) == 20


async def test_who_gives_up_keeps_nobody_waiting() -> None:
    turns = Turns()
    waiting = [asyncio.create_task(turns.next()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting[:2]:
        task.cancel()
    await asyncio.wait_for(waiting[2], 5)


async def test_some_may_go_on_together() -> None:
    turns, went = Turns(at_once=3), list[int]()

    async def go(number: int) -> None:
        await turns.next()
        went.append(number)

    going = [asyncio.create_task(go(number)) for number in range(7)]
    counts = []
    while len(went) < 7:
        await asyncio.sleep(0)
        counts.append(len(went))
    await asyncio.gather(*going)
    assert went == list(range(7))
    assert max(after - before for before, after in zip([0, *counts], counts, strict=False)) == 3


class CountingSelector(selectors.DefaultSelector):
    """Counts the turns of its event loop."""

    turn = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.turn += 1
        return super().select(timeout)


@pytest.mark.parametrize("late", range(6))
@pytest.mark.parametrize("waiting", range(3))
def test_who_comes_in_the_turn_of_somebody_else_waits_for_the_next(late: int, waiting: int) -> None:
    selector, turns, went = CountingSelector(), Turns(), list[int]()

    async def go(after: int = 0) -> None:
        for _ in range(after):
            await asyncio.sleep(0)
        await turns.next()
        went.append(selector.turn)

    async def all_of_them() -> None:
        await asyncio.gather(*(go() for _ in range(waiting)), *(go(late) for _ in range(2)))

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(all_of_them())
    assert len(went) == len(set(went)) == waiting + 2


async def test_nothing_goes_on_in_the_event_loop_when_nobody_waits_any_more() -> None:
    turns, loop = Turns(), asyncio.get_running_loop()
    await asyncio.gather(*(turns.next() for _ in range(3)))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not loop._ready  # type: ignore[attr-defined]


async def test_who_comes_alone_does_not_wait() -> None:
    turns = Turns()
    going = turns.next()
    with pytest.raises(StopIteration):
        going.send(None)


async def test_the_longer_a_server_answers_nothing_the_slower_it_is_asked_more() -> None:
    places, loop = Places(1, 4), asyncio.get_running_loop()
    moments = []
    for count in (1, 2, 4, 4, 4, 4):
        taken = [await places.take() for _ in range(count)]
        moments.append(taken[0].until - loop.time())
        for place in taken:
            places.leave(place, unheard=True)
    assert moments == pytest.approx([0.25, 0.25, 0.25, 0.5, 1.0, 1.0], abs=0.1)
    places.hear()
    with await places.take() as place:
        assert place.until - loop.time() == pytest.approx(0.25, abs=0.1)


async def test_who_is_not_answered_while_the_hub_is_busy_keeps_the_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    idle_for = 0.0
    monkeypatch.setattr(turns_module, "_idle", lambda: idle_for)
    places = Places(1, 1)
    place = await places.take()
    waiting = asyncio.create_task(places.take())
    for idle_for in (0.0, 0.25):
        place.until = 0.0
        places._look()
        await asyncio.sleep(0)
        assert (place in places._held) == (idle_for == 0.0)
    async with asyncio.timeout(10):
        places.leave(await waiting, unheard=False)
    places.leave(place, unheard=False)  # who was overtaken has nothing to give back
    assert places._is_one_free()
    with await places.take():
        assert not places._is_one_free()


async def test_many_places_have_one_timer_between_them() -> None:
    places, loop = Places(8, 8), asyncio.get_running_loop()
    before = len(loop._scheduled)  # type: ignore[attr-defined]
    taken = [await places.take() for _ in range(8)]
    assert len(loop._scheduled) - before == 1  # type: ignore[attr-defined]
    for place in taken:
        with place:
            pass


async def test_who_holds_a_place_for_too_long_makes_room_for_the_next() -> None:
    places = Places(1, 1)
    with await places.take():
        async with asyncio.timeout(10):
            with await places.take():
                pass


@pytest.mark.parametrize(
    ("questions", "idle", "most"), [(200, 0.0, 1), (200, 0.005, 1), (200, 0.05, 4), (20, 0.05, 1)]
)
async def test_questions_share_a_connection_unless_the_hub_would_wait_long_for_all_answers(
    questions: int, idle: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle_for, under_way, at_once = 0.0, 0, 0
    monkeypatch.setattr(turns_module, "_idle", lambda: idle_for)
    places = Places(1, 4)
    places.hear()

    async def ask() -> None:
        nonlocal idle_for, under_way, at_once
        with await places.take():
            under_way += 1
            at_once = max(at_once, under_way)
            await asyncio.sleep(0)
            idle_for += idle
            under_way -= 1

    await asyncio.gather(*(ask() for _ in range(questions)))
    assert at_once == most


async def test_some_places_are_there_from_the_beginning() -> None:
    places = Places(4, 10)
    async with asyncio.timeout(10):
        taken = [await places.take() for _ in range(4)]
    waiting = asyncio.create_task(places.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    with taken[0]:
        pass
    with await waiting:
        pass
    for place in taken[1:]:
        places.leave(place, unheard=False)


async def test_who_gives_up_takes_no_place() -> None:
    places = Places(1, 1)
    with await places.take():
        waiting = asyncio.create_task(places.take())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(10):
        with await places.take():
            pass


async def test_no_more_ask_at_a_time_than_may_however_long_they_are_not_answered() -> None:
    places = Places(2, 2, at_once=3)
    taken = [await places.take() for _ in range(2)]
    for place in taken:
        places.leave(place, unheard=True)
    with await places.take():
        waiting = asyncio.create_task(places.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        places.leave(taken[0], unheard=False)
        async with asyncio.timeout(10):
            with await waiting:
                pass
    places.leave(taken[1], unheard=False)


async def test_who_gives_up_just_when_there_is_a_place_leaves_it_to_the_next() -> None:
    places = Places(1, 1, at_once=1)
    place = await places.take()
    first, second = (asyncio.create_task(places.take()) for _ in range(2))
    await asyncio.sleep(0)
    places.leave(place, unheard=False)
    first.cancel()
    async with asyncio.timeout(10):
        with await second:
            pass
    assert first.cancelled()
    assert places._is_one_free()


async def test_who_has_given_up_is_passed_over_before_it_has_noticed() -> None:
    places = Places(1, 1)
    place = await places.take()
    first, second = (asyncio.create_task(places.take()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    places.leave(place, unheard=False)
    async with asyncio.timeout(10):
        with await second:
            pass
    assert first.cancelled()
    assert places._is_one_free()


async def test_a_single_request_goes_first_and_then_those_whose_work_began_first() -> None:
    places, went = Places(1, 1), list[str]()

    async def ask(who: str) -> None:
        with await places.take():
            went.append(who)
            await asyncio.sleep(0)

    async def work(who: str) -> None:
        with as_one_piece():
            for number in range(3):
                await ask(f"{who}{number}")

    asking = [asyncio.create_task(work(who)) for who in "abc"]
    while len(went) < 1:
        await asyncio.sleep(0)
    asking += [asyncio.create_task(ask(who)) for who in ("alone", "too")]
    await asyncio.gather(*asking)
    # what is free between two requests of the first is taken by the second
    assert " ".join(went) == "a0 b0 alone too a1 b1 a2 b2 c0 c1 c2"


async def test_what_begins_a_piece_of_work_is_no_part_of_another_afterwards() -> None:
    places, went = Places(1, 1), list[str]()

    async def ask(who: str) -> None:
        with await places.take():
            went.append(who)

    async def work() -> None:
        with as_one_piece():
            await ask("piece")

    held = await places.take()
    with as_one_piece():
        pass
    waiting = [asyncio.create_task(work()), asyncio.create_task(ask("alone"))]
    while len(places._waiting) < 2:
        await asyncio.sleep(0)
    with held:
        pass
    await asyncio.gather(*waiting)
    assert went == ["alone", "piece"]
