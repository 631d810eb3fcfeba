"""Who is let in, who waits, and who is refused with which words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcks.core.administrator.limits import Limits
from mcks.errors import Full
from tests.core.placement.hub import Hub, Spawner, Start, settled


def spawners(count: int, profile: Limits | None = None) -> list[Spawner]:
    """Servers of as many users."""
    return [Spawner(i, i, profile or Limits()) for i in range(1, count + 1)]


async def all_of(starts: list[Start]) -> None:
    await asyncio.gather(*(start.task for start in starts), return_exceptions=True)


async def refusal(start: Start) -> Full:
    with pytest.raises(Full) as caught:
        await start.task
    return caught.value


async def test_of_two_hundred_starts_at_once_never_more_are_let_in_than_the_limit() -> None:
    hub = Hub(a={"max_servers": 30})
    starts = [hub.start(spawner) for spawner in spawners(200)]
    await settled()
    assert [start.starts for start in starts] == [True] * 30 + [False] * 170
    for start in starts[:30]:
        await start.succeed()
    await all_of(starts)
    assert sum(isinstance(start.task.exception(), Full) for start in starts) == 170
    assert len(hub.limits._tally) <= 30
    full = await refusal(hub.start(Spawner(999, 999)))
    assert len(hub.limits._tally) == 0
    assert full.jupyterhub_message == (
        "a is full: it takes 30 servers at a time. Try again later, or elsewhere."
    )
    assert (full.elsewhere, full.reason) == (True, "full")
    assert "30 of max_servers = 30 are there" in str(full)


async def test_a_server_counts_until_it_is_gone_and_right_after_a_restart() -> None:
    hub = Hub(a={"max_servers": 1})
    ada, bob = spawners(2)
    await (start := hub.start(ada)).succeed(recorded=False)
    assert start.task.done()
    await refusal(hub.start(bob))
    hub.record(ada)
    await refusal(hub.start(bob))
    hub.restart()
    await refusal(hub.start(bob))
    hub.stop(ada)
    await hub.start(bob).succeed()


async def test_a_server_that_ended_before_it_was_recorded_does_not_count() -> None:
    hub = Hub(a={"max_servers": 1})
    ada, bob = spawners(2)
    await hub.start(ada).succeed(recorded=False)
    ada.remembered = ada.remembered.without_server()
    await hub.start(bob).succeed()


@pytest.mark.parametrize("how", ["fail", "cancel"])
async def test_a_start_that_comes_to_nothing_makes_room(how: str) -> None:
    hub = Hub(a={"max_servers": 1, "max_starting": 1})
    ada, bob = spawners(2)
    start = hub.start(ada)
    await settled()
    await getattr(start, how)()
    await hub.start(bob).succeed()


async def test_the_same_server_that_starts_again_counts_once() -> None:
    hub = Hub(a={"max_servers": 2, "max_per_user": 1})
    ada, bob = spawners(2)
    await hub.start(ada).succeed()
    await hub.start(ada).succeed()  # its row still has the server before
    await hub.start(bob).succeed()
    hub.restart()
    await hub.start(ada).succeed()


async def test_one_user_has_no_more_servers_than_the_limit_and_others_do_not_count() -> None:
    hub = Hub(a={"max_per_user": 2}, b={})
    await hub.start(Spawner(1, 7)).succeed()
    await hub.start(Spawner(2, 7), "b").succeed()
    await hub.start(Spawner(3, 8)).succeed()
    await hub.start(Spawner(4, 7)).succeed()
    hub.restart()
    full = await refusal(hub.start(Spawner(5, 7)))
    assert full.jupyterhub_message == (
        "You may have 2 servers in a at a time, and have as many. "
        "Stop one of them, or start elsewhere."
    )
    await hub.start(Spawner(6, 8)).succeed()


async def test_what_a_profile_refuses_no_other_cluster_takes() -> None:
    hub = Hub(a={}, b={})
    first, second, third = spawners(3, Limits(max_servers=1))
    await hub.start(first, "a", "large").succeed()
    full = await refusal(hub.start(second, "b", "large"))
    assert not full.elsewhere
    assert full.jupyterhub_message.startswith("Large machine is full: it takes one server at a")
    await hub.start(third, "b", "small").succeed()


@pytest.mark.parametrize("limit", ["max_servers", "max_per_user"])
async def test_a_limit_of_nothing_closes_a_cluster(limit: str) -> None:
    hub = Hub(a={limit: 0})
    full = await refusal(hub.start(Spawner(1, 1)))
    assert full.jupyterhub_message == ("a takes no servers at present. Choose another profile.")


async def test_servers_of_other_hubs_count_if_they_are_asked_for() -> None:
    hub = Hub(
        a={"max_servers": 2, "max_per_user": 1, "count_other_hubs": True},
        b={"max_servers": 2, "max_per_user": 1},
    )
    hub.others = ["user-1", "user-7"]
    assert (await refusal(hub.start(Spawner(1, 1)))).jupyterhub_message.startswith("You may have")
    assert "a is full" in str(await refusal(hub.start(Spawner(2, 2))))
    await hub.start(Spawner(1, 1), "b").succeed()


async def test_a_place_in_the_queue_is_told_each_time_it_changes() -> None:
    hub = Hub(a={"max_starting": 1})
    starts = [hub.start(spawner) for spawner in spawners(4)]
    await settled()
    last = starts[-1].spawner
    assert last.said == ["Waiting for your turn in a: 3rd in the queue"]
    await starts[1].cancel()
    assert last.said[-1] == "Waiting for your turn in a: 2nd in the queue"
    await starts[0].succeed()
    await settled()
    assert last.said[-1] == "Waiting for your turn in a: 1st in the queue"
    assert [start.starts for start in starts] == [False, False, True, False]
    await starts[2].fail()
    await starts[3].succeed()
    assert len(last.said) == 3


async def test_who_waits_has_a_place_already_and_never_waits_in_vain() -> None:
    hub = Hub(a={"max_starting": 1, "max_servers": 2})
    first, second, third = (hub.start(spawner) for spawner in spawners(3))
    assert (await refusal(third)).elsewhere
    assert not second.starts
    await first.succeed()
    await second.succeed()


async def test_a_long_queue_does_not_fill_a_page() -> None:
    hub = Hub(a={"max_starting": 1})
    starts = [hub.start(spawner) for spawner in spawners(200)]
    await settled()
    last = starts[-1].spawner
    assert last.said == ["Waiting for your turn in a: 199th in the queue"]
    for start in starts:
        await start.succeed()
    assert last.said[-1] == "Waiting for your turn in a: 1st in the queue"
    assert len(last.said) < 50


async def test_who_waits_for_a_profile_holds_up_nobody_else() -> None:
    hub = Hub(a={"max_starting": 2})
    first, second = (
        hub.start(spawner, "a", "large") for spawner in spawners(2, Limits(max_starting=1))
    )
    other = hub.start(Spawner(3, 3), "a", "small")
    await settled()
    assert (first.starts, second.starts, other.starts) == (True, False, True)
    assert second.spawner.said == ["Waiting for your turn in Large machine: 1st in the queue"]
    await first.succeed()
    await second.succeed()
    await other.succeed()


@pytest.mark.parametrize(
    ("cluster", "profile", "told"),
    [
        (3600, None, "A server ends 1 h after its start, used or not"),
        (3600, 60, "A server ends 1 min after its start, used or not"),
        (None, 90000, "A server ends 1 d 1 h after its start, used or not"),
        (None, None, ""),
    ],
)
async def test_how_long_a_server_may_live_is_told_and_remembered(
    cluster: int | None, profile: int | None, told: str
) -> None:
    hub = Hub(a={"max_age": cluster})
    spawner = Spawner(1, 1, Limits(max_age=profile))
    await hub.start(spawner, "a", "large").succeed()
    assert spawner.said == ([told] if told else [])
    ages = [age for age in (cluster, profile) if age]
    assert spawner.remembered.max_age == min(ages, default=None)
    assert spawner.remembered.profile == "large"
    assert hub.aging == ([spawner] if told else [])


async def test_a_start_that_failed_is_not_followed() -> None:
    hub = Hub(a={"max_age": 60})
    start = hub.start(Spawner(1, 1))
    await settled()
    await start.fail()
    assert hub.aging == []


async def test_where_nothing_is_limited_nothing_is_read_and_nothing_is_kept_for_long() -> None:
    hub = Hub(a={}, b={"max_starting": 1})
    for spawner in spawners(50):
        await hub.start(spawner, "a" if spawner.user.id % 2 else "b").succeed()
    assert hub.reads == 0
    assert len(hub.limits._tally) == 1


async def test_a_start_that_went_on_elsewhere_counts_there_alone() -> None:
    hub = Hub(a={"max_servers": 1}, b={"max_servers": 1})
    ada, bob, eve = spawners(3)
    start = hub.start(ada)
    await settled()
    await start.fail()
    await hub.start(ada, "b").succeed(recorded=False)
    await hub.start(bob, "a").succeed()
    await refusal(hub.start(eve, "b"))


def test_an_error_page_needs_no_reference_for_a_limit() -> None:
    from mcks.core.hub.error_pages import for_user, reference_for

    full: Any = Full("a is full.", elsewhere=False)
    assert (reference_for(full), for_user(full)) == ("", "a is full.")
