"""``make demo`` comes up and goes away: by Ctrl-C, and after a kill by ``make down``."""

from __future__ import annotations

import os
import random
import re
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import leftovers, local_set, processes
from tests.cluster.fixtures import Clusters
from tests.cluster.local_set import LocalSet

# A browser drops what it is loading when bridges come and go on its machine.
pytestmark = [pytest.mark.cluster, pytest.mark.alone]

SET = "demotest"
ROOT = Path(__file__).parents[2]
_SECONDS = 180


@pytest.fixture
def demo(clusters: Clusters) -> Iterator[subprocess.Popen[bytes]]:
    """The demonstration as a newcomer starts it, but in a set of its own."""
    if not isinstance(clusters, LocalSet):
        pytest.skip("The demonstration on the user's own contexts makes no clusters to take down.")
    process = subprocess.Popen(
        [*processes.INTERRUPTIBLE, sys.executable, "-m", "tests.demo", "--set", SET, "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    local_set.down(SET)


def read_until(process: subprocess.Popen[bytes], words: str) -> str:
    """Return what the process has printed up to *words*."""
    assert process.stdout is not None
    printed = b""
    deadline = time.monotonic() + _SECONDS
    while words.encode() not in printed:
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        chunk = os.read(process.stdout.fileno(), 65536) if ready else b""
        assert chunk, printed.decode()
        printed += chunk
    return printed.decode()


def ours() -> list[str]:
    marked = [processes.command_line(process) for process in processes.marked(SET)]
    return [*marked, *(str(leftover) for leftover in leftovers.find(SET))]


def test_it_tells_what_to_open_and_ctrl_c_takes_all_away(demo: subprocess.Popen[bytes]) -> None:
    printed = read_until(demo, "Press Ctrl-C")
    url = re.search(r"Open +(http://127\.0\.0\.1:\d+/)", printed)
    assert url is not None, printed
    with urllib.request.urlopen(f"{url[1]}hub/login", timeout=30) as response:
        assert b"Username" in response.read()
    demo.send_signal(signal.SIGINT)
    read_until(demo, "Taking the clusters down")
    assert demo.wait(_SECONDS) == 0
    assert ours() == []


@pytest.mark.parametrize("words", ["bringing up", "serves after", "Press Ctrl-C"])
def test_what_a_killed_demonstration_leaves_is_taken_away(
    demo: subprocess.Popen[bytes], words: str
) -> None:
    read_until(demo, words)
    assert select.select([], [], [], random.uniform(0, 2)) == ([], [], [])  # any moment
    demo.kill()
    demo.wait()
    subprocess.run(
        [sys.executable, "-m", "tests.cluster", "--set", SET, "down"], cwd=ROOT, check=True
    )
    assert ours() == []
