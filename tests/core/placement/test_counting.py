"""Each server counts once, wherever it is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcks.core.knowledge.index import Index, Row
from mcks.core.placement.counting import LetIn, NoRecords, Scope, Tally
from mcks.core.servers.server import Created
from mcks.core.servers.state import State
from tests.core.calls import counted

A = Scope(cluster="a")


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        (Scope(), True),
        (Scope(cluster="a"), True),
        (Scope(cluster="b"), False),
        (Scope(cluster="small"), False),
        (Scope(profile="small"), True),
        (Scope(profile="a"), False),
        (Scope(cluster="a", user_id=1), True),
        (Scope(cluster="a", user_id=2), False),
        (Scope(profile="small", user_id=2), False),
    ],
)
def test_a_scope_holds_what_is_as_it_says(scope: Scope, holds: bool) -> None:
    assert scope.holds("a", "small", 1) == holds
    assert LetIn("a", "small", 1, lambda: False).within(scope) == holds


def test_a_server_that_is_recorded_and_was_let_in_counts_once_and_itself_never() -> None:
    index, tally = Index(), Tally()
    index.put(1, Row(1, True, State(Created("k", "ns"), "a")))
    for server in (1, 2):
        tally.let_in(server, LetIn("a", "", server, lambda: False))
    assert tally.others(A, 3, index) == 2
    assert tally.others(A, 1, index) == tally.others(A, 2, index) == 1
    assert tally.others(A, 3, NoRecords()) == 2
    assert not NoRecords().counts(1, A)


def test_what_was_let_in_is_kept_until_it_is_recorded_or_gone() -> None:
    index, tally = Index(), Tally()
    gone: set[int] = set()
    for server in (1, 2, 3):
        tally.let_in(server, LetIn("a", "", 1, lambda server=server: server in gone))  # type: ignore[misc]
    gone.update({1, 2})
    tally.started(1)
    tally.started(3)
    tally.settle(index)
    assert tally.others(A, None, index) == 2  # the second starts still
    index.put(3, Row(1, True, State(Created("k", "ns"), "a")))
    tally.settle(index)
    assert (len(tally), tally.others(A, None, index)) == (1, 2)


def test_a_look_for_what_is_gone_costs_each_start_the_same() -> None:
    index, tally = Index(), Tally()
    looks: list[int] = []

    def is_gone() -> bool:
        looks.append(len(tally))
        return False

    for server in range(500):
        tally.settle_if_many(index)
        tally.let_in(server, LetIn("a", "", 1, is_gone))
        tally.started(server)
    assert len(looks) < 1000
    assert len(tally) == 500


WHAT = st.sampled_from(["let in", "started", "settle", "record", "forget"])
STEPS = st.lists(st.tuples(WHAT, st.integers(1, 4), st.sampled_from("ab"), st.sampled_from("pq")))


@given(STEPS)
def test_counts_are_those_of_a_look_at_all(steps: list[tuple[str, int, str, str]]) -> None:
    index, tally = Index(), Tally()
    for what, server, cluster, profile in steps:
        if what == "let in":
            tally.let_in(server, LetIn(cluster, profile, server % 2, lambda: False))
        elif what == "started" and server in tally._let_in:
            tally.started(server)
        elif what == "settle":
            tally.settle(index)
        elif what in ("record", "forget"):
            state = State(Created("k", "ns"), cluster, profile=profile)
            index.put(server, Row(server % 2, what == "record", state))
        for scope in _scopes():
            here = {s for s, one in tally._let_in.items() if one.within(scope)}
            all_of_them = {s for s in range(1, 5) if index.counts(s, scope)} | here
            for asking in (None, 1, 2):
                assert tally.others(scope, asking, index) == len(all_of_them - {asking})


def _scopes() -> Iterator[Scope]:
    for user_id in (None, 0, 1):
        yield from (Scope(cluster=name, user_id=user_id) for name in "ab")
        yield from (Scope(profile=name, user_id=user_id) for name in "pq")


@pytest.mark.parametrize("count", [1, 200])
def test_a_server_is_counted_without_a_look_at_the_others(count: int) -> None:
    index, tally = Index(), Tally()
    for server in range(count):
        tally.let_in(server, LetIn("a", "small", server, lambda: False))
        if server % 2:
            index.put(server, Row(server, True, State(Created("k", "ns"), "a")))
    tally.settle(index)
    with counted() as calls:
        tally.let_in(999, LetIn("a", "small", 999, lambda: False))
        assert tally.others(A, 999, index) == count
        tally.started(999)
        tally.settle(index)
    assert len(calls) < 60, calls
