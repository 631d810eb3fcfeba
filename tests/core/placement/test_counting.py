"""Each server counts once, wherever it is known."""

from __future__ import annotations

import pytest

from mcks.core.knowledge.index import Index, Row
from mcks.core.placement.counting import LetIn, NoRecords, Scope, Tally
from mcks.core.servers.server import Created
from mcks.core.servers.state import State

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
