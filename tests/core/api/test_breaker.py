"""A cluster that does not answer is left alone, and tried again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prometheus_client import REGISTRY

from mcks.core.api.breaker import Breaker, Pulse, Silent
from mcks.errors import (
    AuthError,
    Conflict,
    Forbidden,
    MCKSError,
    ServerError,
    TooManyRequests,
    Unavailable,
    Unreachable,
)

AWAY = Unreachable("API server a: no connection")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("a", clock)


def meet(breaker: Breaker, exc: MCKSError | None, *, even_if_unavailable: bool = False) -> None:
    with breaker.attempt(even_if_unavailable=even_if_unavailable):
        if exc is not None:
            raise exc


def fail(
    breaker: Breaker, times: int = 1, exc: MCKSError = AWAY, *, even_if_unavailable: bool = False
) -> None:
    for _ in range(times):
        with pytest.raises(type(exc), match=str(exc)):
            meet(breaker, exc, even_if_unavailable=even_if_unavailable)


def cause(breaker: Breaker) -> MCKSError | None:
    return breaker.unavailable


def refused(breaker: Breaker) -> bool:
    try:
        meet(breaker, None)
    except Unavailable:
        return True
    return False


def test_some_failures_in_a_row_open_it_and_a_success_between_them_does_not(
    breaker: Breaker,
) -> None:
    fail(breaker, 2)
    meet(breaker, None)
    fail(breaker, 2)
    assert cause(breaker) is None
    fail(breaker)
    assert cause(breaker) is AWAY
    with pytest.raises(Unavailable, match=r"cluster 'a' is left alone .* no connection"):
        meet(breaker, None)


@pytest.mark.parametrize(
    "exc", [AuthError("no login"), ServerError("x", status=503), ServerError("x", status=504)]
)
def test_whatever_says_that_the_cluster_cannot_be_used_opens_it(
    breaker: Breaker, exc: MCKSError
) -> None:
    fail(breaker, 3, exc)
    assert cause(breaker) is exc


@pytest.mark.parametrize(
    "exc",
    [
        Forbidden("x", status=403),
        Conflict("x", status=409),
        TooManyRequests("x", status=429),
        ServerError("a webhook failed", status=500),
    ],
)
def test_an_answer_of_the_api_server_is_none_of_its_failures(
    breaker: Breaker, exc: MCKSError
) -> None:
    fail(breaker, 2)
    fail(breaker, 1, exc)
    fail(breaker, 2)
    assert cause(breaker) is None


def test_after_a_pause_one_attempt_is_let_through_and_closes_it(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += 9
    assert refused(breaker)
    clock.now += 1
    assert cause(breaker) is None
    with breaker.attempt():
        assert cause(breaker) is AWAY
        assert refused(breaker)
    assert not refused(breaker)
    assert breaker.attention.is_set()


def test_each_failed_trial_doubles_the_pause_to_a_minute_at_most(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, 3)
    for pause in (10, 20, 40, 60, 60):
        clock.now += pause - 1
        assert refused(breaker)
        clock.now += 1
        fail(breaker)


def test_a_trial_that_is_cancelled_decides_nothing(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    with pytest.raises(asyncio.CancelledError), breaker.attempt():
        raise asyncio.CancelledError
    assert cause(breaker) is None
    meet(breaker, None)


def test_those_who_wait_for_the_cluster_are_always_let_through_and_close_it(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, 3)
    fail(breaker, 5, even_if_unavailable=True)
    clock.now += 10
    assert cause(breaker) is None  # their failures do not make the others' pause longer
    fail(breaker, even_if_unavailable=True)
    assert cause(breaker) is AWAY
    meet(breaker, None, even_if_unavailable=True)
    assert not refused(breaker)


def test_its_word_for_the_user_is_that_of_the_cause(breaker: Breaker) -> None:
    fail(breaker, 3, AuthError("no login"))
    with pytest.raises(Unavailable) as caught:
        meet(breaker, None)
    assert caught.value.jupyterhub_message == AuthError.user_message
    assert caught.value.reason == "cluster-unavailable"


def test_the_metric_says_whether_the_cluster_is_available(breaker: Breaker) -> None:
    def value() -> float | None:
        return REGISTRY.get_sample_value("mcks_cluster_available", {"cluster": "a"})

    assert value() == 1
    fail(breaker, 3)
    assert value() == 0
    meet(breaker, None, even_if_unavailable=True)
    assert value() == 1


def in_an_hour() -> float:
    return asyncio.get_running_loop().time() + 3600


class Life:
    """Whether a server lives, and how often that was asked."""

    def __init__(self, *answers: bool) -> None:
        self.answers, self.asked = list(answers), 0

    async def __call__(self) -> bool:
        self.asked += 1
        return self.answers.pop(0)


async def test_who_waits_for_a_silent_server_is_told_together_with_all_others() -> None:
    life = Life(False)
    pulse = Pulse(life, 0.01)

    async def wait() -> None:
        await pulse.feel(asyncio.Event().wait(), in_an_hour())

    async with asyncio.timeout(20):
        ends = await asyncio.gather(wait(), wait(), wait(), return_exceptions=True)
    assert [type(end) for end in ends] == [Silent] * 3
    assert life.asked == 1


async def test_who_waits_since_a_silent_server_was_asked_is_told_with_who_asked() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def alive() -> bool:
        asked.set()
        await answer.wait()
        return False

    pulse = Pulse(alive, 60.0)

    async def wait() -> asyncio.Task[Any]:
        waiting = asyncio.create_task(pulse.feel(asyncio.Event().wait(), in_an_hour()))
        await asyncio.sleep(0)
        return waiting

    async with asyncio.timeout(20):
        waiting = [await wait(), await wait()]
        eldest = next(iter(pulse._under_way))
        began, until = pulse._under_way[eldest]
        pulse._under_way[eldest] = began - 60, until  # a minute ago
        pulse._look()
        await asked.wait()
        late = await wait()
        answer.set()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ends] == [Silent] * 2
    assert not late.done()
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    pulse.close()


async def test_a_slow_answer_of_a_server_that_lives_is_waited_for() -> None:
    life = Life(True, False)
    answer = asyncio.Event()

    async def lives() -> bool:
        alive = await life()
        answer.set()
        return alive

    pulse = Pulse(lives, 0.01)
    async with asyncio.timeout(20):
        assert await pulse.feel(answer.wait(), in_an_hour())
    assert life.asked == 1
    pulse.close()


async def test_nobody_asks_whether_a_server_lives_that_answers_at_once() -> None:
    life = Life()
    pulse = Pulse(life, 60.0)
    await pulse.feel(asyncio.sleep(0), in_an_hour())

    async def fail() -> None:
        raise TimeoutError("of somebody else")

    with pytest.raises(TimeoutError, match="of somebody else"):
        await pulse.feel(fail(), in_an_hour())
    assert life.asked == 0
    pulse.close()


async def test_what_is_not_answered_in_its_own_time_is_no_sign_of_silence() -> None:
    pulse = Pulse(Life(), 60.0)
    with pytest.raises(TimeoutError) as raised:
        await pulse.feel(asyncio.Event().wait(), asyncio.get_running_loop().time())
    assert not isinstance(raised.value, Silent)
    pulse.close()


async def test_who_waits_for_less_long_than_another_is_told_in_its_own_time() -> None:
    pulse, loop = Pulse(Life(), 60.0), asyncio.get_running_loop()
    longer = asyncio.create_task(pulse.feel(asyncio.Event().wait(), in_an_hour()))
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await pulse.feel(asyncio.Event().wait(), loop.time() + 0.01)
    assert not longer.done()
    longer.cancel()
    await asyncio.gather(longer, return_exceptions=True)
    pulse.close()


async def test_who_begins_to_wait_later_is_told_later() -> None:
    """One timer looks for all of them; the eldest says when."""
    life, first = Life(False, False), asyncio.Event()
    pulse = Pulse(life, 0.01)

    async def wait() -> None:
        try:
            await pulse.feel(asyncio.Event().wait(), in_an_hour())
        finally:
            first.set()

    async with asyncio.timeout(20):
        one = asyncio.create_task(wait())
        await first.wait()
        two = asyncio.create_task(wait())
        ends = await asyncio.gather(one, two, return_exceptions=True)
    assert [type(end) for end in ends] == [Silent] * 2
    assert life.asked == 2


async def test_many_requests_have_one_timer_between_them() -> None:
    pulse = Pulse(Life(), 60.0)
    answer, loop = asyncio.Event(), asyncio.get_running_loop()
    before = len(loop._scheduled)  # type: ignore[attr-defined]
    waiting = [asyncio.create_task(pulse.feel(answer.wait(), in_an_hour())) for _ in range(10)]
    await asyncio.sleep(0)
    assert len(loop._scheduled) - before == 1  # type: ignore[attr-defined]
    answer.set()
    await asyncio.gather(*waiting)
    pulse.close()


async def test_who_was_told_goes_on_as_if_nobody_had_wanted_its_end() -> None:
    pulse, loop, task = Pulse(Life(), 60.0), asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    with pytest.raises(TimeoutError):
        await pulse.feel(asyncio.Event().wait(), loop.time())
    assert task.cancelling() == 0

    async def fails_when_it_is_ended() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError from None

    with pytest.raises(ConnectionError):
        await pulse.feel(fails_when_it_is_ended(), loop.time())
    assert task.cancelling() == 0
    pulse.close()


@pytest.mark.parametrize("is_told_first", [True, False])
async def test_who_is_cancelled_when_it_is_told_of_silence_ends(is_told_first: bool) -> None:
    pulse = Pulse(Life(), 60.0)
    waiting = asyncio.create_task(pulse.feel(asyncio.Event().wait(), in_an_hour()))
    await asyncio.sleep(0)
    if is_told_first:
        pulse._end([waiting])
    waiting.cancel()
    if not is_told_first:
        pulse._end([waiting])
    with pytest.raises(asyncio.CancelledError):
        await waiting
    pulse.close()
