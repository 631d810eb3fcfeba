"""What had no place lately is remembered for a while, for each cluster and profile."""

from __future__ import annotations

from mcks.core.placement.no_place import LASTING, NoPlace


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_failure_is_remembered_for_its_cluster_and_profile_alone() -> None:
    memory = NoPlace(Clock())
    memory.note("west", "gpu")
    assert memory.lately("west", "gpu")
    assert not memory.lately("west", "small")
    assert not memory.lately("east", "gpu")


def test_it_is_forgotten_after_some_minutes_or_when_a_place_was_found() -> None:
    clock = Clock()
    memory = NoPlace(clock)
    memory.note("west", "gpu")
    memory.note("east", "gpu")
    memory.forget("east", "gpu")
    memory.forget("north", "gpu")
    assert not memory.lately("east", "gpu")
    clock.now += LASTING
    assert not memory.lately("west", "gpu")
    memory.note("north", "gpu")
    assert len(memory._until) == 1
