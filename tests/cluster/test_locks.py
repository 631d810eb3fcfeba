"""One process changes a set; many may use it."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from tests.cluster import locks


@pytest.fixture(autouse=True)
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_DIRECTORY", tmp_path)


def _use(directory: Path, claimed: Event, enough: Event) -> None:
    locks._DIRECTORY = directory
    use = locks.Use("t1")
    claimed.set()
    enough.wait(30)
    use.release()


def test_a_second_change_waits_and_then_gives_up() -> None:
    with (
        locks.changing("t1"),
        pytest.raises(locks.InUse, match="still busy with t1"),
        locks.changing("t1", seconds=0.0),
    ):
        pass


def test_a_change_leaves_no_file(tmp_path: Path) -> None:
    with locks.changing("t1"):
        assert list(tmp_path.iterdir())

    assert not list(tmp_path.iterdir())


def test_the_last_user_is_told_so(tmp_path: Path) -> None:
    first, second = locks.Use("t1"), locks.Use("t1")

    assert locks.in_use("t1")
    assert not first.release()
    assert second.release()
    assert not locks.in_use("t1")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_killed_user_uses_it_no_more(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    claimed, enough = context.Event(), context.Event()
    process = context.Process(target=_use, args=(tmp_path, claimed, enough))
    process.start()
    assert claimed.wait(30)
    assert locks.in_use("t1")
    process.kill()
    process.join()

    assert not locks.in_use("t1")
