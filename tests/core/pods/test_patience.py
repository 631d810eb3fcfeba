"""Until when a Pod is waited for."""

from __future__ import annotations

import pytest

from mcks.core.pods.patience import ENDLESS, Clocks, Patience
from mcks.core.pods.scheduling import Kind, Waiting

PATIENCE = Patience(place=60.0, queue=600.0, scale_up=300.0)


def waiting(kind: Kind, *, growing: bool = False, refused: bool = False) -> Waiting:
    return Waiting(kind, 40, "now", "in vain", growing=growing, refused=refused)


@pytest.mark.parametrize("kind", Kind)
def test_who_has_no_other_cluster_waits_without_an_end(kind: Kind) -> None:
    assert Clocks(ENDLESS).until(waiting(kind, refused=True), 0.0) is None


def test_time_in_a_queue_is_none_of_the_search_for_a_node_nor_is_that_of_the_node() -> None:
    clocks = Clocks(PATIENCE)
    assert clocks.until(waiting(Kind.QUEUE), 10.0) == 610.0
    assert clocks.until(waiting(Kind.QUEUE), 500.0) == 610.0
    assert clocks.until(waiting(Kind.PLACE), 550.0) == 610.0
    assert clocks.until(waiting(Kind.PREEMPTION), 580.0) == 610.0
    assert clocks.until(waiting(Kind.NODE), 605.0) == 665.0


def test_a_queue_has_a_limit_where_the_search_for_a_node_has_none() -> None:
    clocks = Clocks(Patience(queue=5.0))
    assert clocks.until(waiting(Kind.QUEUE), 0.0) == 5.0
    assert clocks.until(waiting(Kind.PLACE), 4.0) is None


def test_a_machine_that_is_being_added_gives_more_time_as_long_as_it_is_so_and_only_once() -> None:
    clocks = Clocks(PATIENCE)
    assert clocks.until(waiting(Kind.PLACE), 0.0) == 60.0
    assert clocks.until(waiting(Kind.PLACE, growing=True), 30.0) == 360.0
    assert clocks.until(waiting(Kind.PLACE, growing=True), 200.0) == 360.0
    assert clocks.until(waiting(Kind.PLACE), 210.0) == 60.0


def test_what_the_autoscaler_will_not_add_is_not_waited_for() -> None:
    clocks = Clocks(PATIENCE)
    clocks.until(waiting(Kind.PLACE), 0.0)
    assert clocks.until(waiting(Kind.PLACE, refused=True), 7.0) == 7.0
