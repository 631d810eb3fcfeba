"""Tries: which failures lead to the next cluster, how long each may wait, and what is told."""

from __future__ import annotations

import pytest

from mcks.core.hub import error_pages
from mcks.core.placement.tries import Tries
from mcks.core.servers.progress import Progress
from mcks.errors import (
    AuthError,
    BadPatch,
    Drained,
    Forbidden,
    Invalid,
    MCKSError,
    NoneWorked,
    Refused,
    StartFailed,
    TooManyRequests,
    Unavailable,
    UnknownCluster,
    Unreachable,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def tries(*names: str, seconds: float = 270, clock: Clock | None = None) -> Tries:
    clock = clock or Clock()
    return Tries(names, seconds, Progress(clock), clock)


ELSEWHERE: list[MCKSError] = [
    Unreachable("x"),
    Unavailable("west", Unreachable("x")),
    AuthError("x"),
    TooManyRequests("x"),
    UnknownCluster("x"),
    Drained("x"),
    *(
        StartFailed("x", reason=reason)
        for reason in ("quota", "no-place", "queue", "evicted", "gateway", "no-answer")
    ),
]
EVERYWHERE: list[MCKSError] = [
    BadPatch("x"),
    Forbidden("x"),
    Invalid("x"),
    *(StartFailed("x", reason=reason) for reason in ("image", "crash", "policy", "ended", "oom")),
]


@pytest.mark.parametrize("failure", ELSEWHERE, ids=repr)
def test_what_only_one_cluster_lacks_leads_to_the_next(failure: MCKSError) -> None:
    several = tries("west", "east")
    order = []
    for name in several:
        order.append(name)
        if name == "west":
            several.failed(failure)
    assert order == ["west", "east"]


@pytest.mark.parametrize("failure", EVERYWHERE, ids=repr)
def test_what_would_fail_everywhere_ends_the_start_as_it_is(failure: MCKSError) -> None:
    several = tries("west", "east")
    assert next(iter(several)) == "west"
    with pytest.raises(type(failure)) as caught:
        several.failed(failure)
    assert caught.value is failure


def test_one_cluster_fails_as_it_is() -> None:
    one = tries("west")
    assert next(iter(one)) == "west"
    assert one.is_last
    assert not one.are_several
    with pytest.raises(Unreachable):
        one.failed(Unreachable("x"))


def test_after_several_each_has_a_line_with_its_reason() -> None:
    several = tries("west", "east")
    begun = iter(several)
    next(begun)
    several.failed(StartFailed("No place.", reason="no-place"))
    next(begun)
    with pytest.raises(NoneWorked) as caught:
        several.failed(StartFailed("No image.", reason="image"))
    assert caught.value.jupyterhub_message.splitlines() == [
        "Your server could not be started in any of these clusters.",
        "west: No place.",
        "east: No image.",
    ]
    assert caught.value.reason == "image"
    assert not caught.value.elsewhere


async def test_viewers_are_told_of_each_try() -> None:
    clock = Clock()
    progress = Progress(clock)
    several = Tries(["west", "east"], 270, progress, clock)
    begun = iter(several)
    next(begun)
    progress.say("Connecting", 5)
    progress.accepted.set()
    several.failed(StartFailed("No place.", reason="no-place"))
    assert not progress.accepted.is_set()
    progress.say("Connecting", 5)
    progress.end()
    assert [line["message"] async for line in progress.follow()] == [
        "Connecting",
        "west: No place. Trying east next",
        "Connecting",
    ]


def test_each_try_gets_a_fair_share_of_what_is_left() -> None:
    clock = Clock()
    several = tries("a", "b", "c", seconds=90, clock=clock)
    begun = iter(several)
    next(begun)
    assert several.share == 30
    clock.now += 10
    several.failed(Unreachable("x"))
    next(begun)
    assert several.share == 40
    clock.now += 60
    several.failed(Unreachable("x"))
    next(begun)
    assert several.share == several.seconds_left == 20


def test_only_the_last_try_waits_as_long_as_the_start_may_take() -> None:
    several = tries("a", "b", seconds=200)
    begun = iter(several)
    next(begun)
    assert several.patience(60, None, 300) == (60, 100, 100, 60)
    assert several.patience(600, 50, 30) == (100, 50, 30, 100)
    several.failed(Unreachable("x"))
    next(begun)
    assert several.patience(60, None, 300) == (None, None, 300, None)
    assert several.patience(60, 20, 300) == (None, 20, 300, None)


def test_without_time_there_is_no_next_try() -> None:
    clock = Clock()
    several = tries("a", "b", seconds=10, clock=clock)
    next(iter(several))
    clock.now += 10
    with pytest.raises(Unreachable):
        several.failed(Unreachable("x"))


def test_what_is_left_out_costs_no_time_and_is_told_at_the_end() -> None:
    several = tries("west", "east", "north", seconds=90)
    several.leave_out("west", Drained("west", "An upgrade."))
    several.leave_out("north", Drained("north"))
    assert several.are_several
    assert [*several] == ["east"]
    assert several.is_last
    assert several.share == 90
    with pytest.raises(NoneWorked) as caught:
        several.failed(StartFailed("No place.", reason="no-place"))
    assert caught.value.jupyterhub_message.splitlines()[1:] == [
        "west: The chosen cluster takes no new servers at the moment. An upgrade.",
        "north: The chosen cluster takes no new servers at the moment.",
        "east: No place.",
    ]


def test_if_all_are_left_out_nothing_is_tried_and_nobody_has_to_look_into_a_log() -> None:
    several = tries("west", "east")
    several.leave_out("west", Drained("west"))
    with pytest.raises(NoneWorked) as caught:
        several.leave_out("east", Drained("east"))
    assert caught.value.reason == "drained"
    assert error_pages.reference_for(caught.value) == ""


def test_a_start_that_ends_in_any_case_goes_nowhere_else() -> None:
    several = tries("west", "east")
    next(iter(several))
    with pytest.raises(Unreachable):
        several.failed(Unreachable("x"), ends=True)


def test_users_read_the_name_of_a_context_alone() -> None:
    several = tries("context:west", "context:east", "context:north")
    several.leave_out("context:north", Drained("context:north"))
    begun = iter(several)
    next(begun)
    several.failed(StartFailed("No place.", reason="no-place"))
    next(begun)
    with pytest.raises(NoneWorked) as caught:
        several.failed(StartFailed("No place.", reason="no-place"))
    assert "context:" not in caught.value.jupyterhub_message
    assert "\nwest: No place.\neast: No place." in caught.value.jupyterhub_message


def test_each_cluster_has_one_line_whatever_was_said_of_it() -> None:
    failure = NoneWorked([("west", Refused("No credits\nare left.")), ("east", Unreachable("x"))])
    assert failure.jupyterhub_message.splitlines()[1] == "west: No credits are left."
    assert len(failure.jupyterhub_message.splitlines()) == 3
