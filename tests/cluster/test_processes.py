"""Daemons are started, found again and ended, and no stranger is."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import processes
from tests.cluster.processes import Daemons, Process


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Daemons]:
    found = Daemons(tmp_path, "unittest/a")
    yield found
    found.stop("sleeper", 0.0)


def test_the_start_time_is_read_though_a_name_has_brackets_and_spaces() -> None:
    fields = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21"

    assert processes.parse_stat(f"42 (a) b ) {fields}") == ("S", 4711)


def test_cgroup_tags_are_the_first_parts_of_the_paths() -> None:
    text = "4:memory:/t1-a/kubepods/pod1\n1:name=systemd:/\n0::/t1-b/x\n"

    assert processes.cgroup_tags(text) == {"t1-a", "", "t1-b"}


def test_a_daemon_outlives_its_starter_and_is_found_by_its_record(daemons: Daemons) -> None:
    daemons.start("sleeper", ["sleep", "60"])

    found = Daemons(daemons.directory, daemons.mark).running("sleeper")

    assert found is not None
    assert os.getsid(found.pid) != os.getsid(0)


def test_a_daemon_that_runs_is_not_started_twice(daemons: Daemons) -> None:
    daemons.start("sleeper", ["sleep", "60"])
    first = daemons.running("sleeper")
    daemons.start("sleeper", ["sleep", "60"])

    assert daemons.running("sleeper") == first


def test_a_daemon_without_its_record_is_found_by_its_mark(daemons: Daemons) -> None:
    daemons.start("sleeper", ["sleep", "60"])
    found = daemons.running("sleeper")

    assert list(processes.marked("unittest")) == [found]
    assert list(processes.marked("unittes")) == []


@pytest.mark.parametrize("ours", [signal.default_int_handler, signal.SIG_IGN])
def test_a_daemon_gets_interrupts(daemons: Daemons, ours: Any) -> None:
    before = signal.signal(signal.SIGINT, ours)
    try:
        daemons.start("sleeper", ["sleep", "60"])
    finally:
        signal.signal(signal.SIGINT, before)
    found = daemons.running("sleeper")
    assert found is not None
    deadline = time.monotonic() + 30
    while found.alive() and time.monotonic() < deadline:
        found.signal(signal.SIGINT)  # lost if it comes before the program itself runs
        time.sleep(0.01)

    assert not found.alive()


def test_a_daemon_that_ignores_sigterm_is_killed(daemons: Daemons) -> None:
    daemons.start("sleeper", ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 60; done"])
    while "ready" not in daemons.tail("sleeper"):
        time.sleep(0.01)
    found = daemons.running("sleeper")
    daemons.stop("sleeper", grace=0.1)

    assert found is not None
    assert not found.alive()
    for child in processes.marked("unittest"):
        processes.end([child], 0.0)


def test_a_process_with_the_same_id_but_another_start_is_not_touched() -> None:
    me = processes.find(os.getpid())
    assert me is not None
    stranger = Process(me.pid, me.started - 1)

    processes.end([stranger], 0.0)

    assert not stranger.alive()
    assert me.alive()


def test_what_a_daemon_printed_is_in_its_log(daemons: Daemons) -> None:
    daemons.start("sleeper", ["sh", "-c", "echo one; echo two >&2; exec sleep 60"])
    while "two" not in daemons.tail("sleeper"):
        time.sleep(0.01)

    assert daemons.tail("sleeper", 1) == "two"
