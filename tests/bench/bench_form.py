"""What it takes to show the form of 300 profiles with 5 options. Run it with ``python -m``.

The bars: 10 ms of CPU time for a user's form, from the list to the page, and half of what
KubeSpawner needs for the same list in the same run; 120 kB. The hub and its spawners are there
before. Neither makes a network call.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from types import SimpleNamespace
from typing import Any
from unittest import mock

from kubespawner import KubeSpawner
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.bench.profiles import profile

PROFILES = 300
BAR_MS = 10.0
BAR_RATIO = 0.5
BAR_KB = 120.0


def configuration() -> Config:
    """One list for both spawners."""
    config = Config()
    for section in ("KubeSpawner", "MultiClusterKubeSpawner"):
        config[section].profile_list = [profile(number) for number in range(PROFILES)]
    return config


def ours(config: Config) -> MultiClusterKubeSpawner:
    """Make the spawner of a user who has chosen before."""
    made = sample_spawner(config, "ada", "profile-199")
    made.choosing.remember(made.user_options)
    return made


def theirs(config: Config) -> Any:
    """Make a KubeSpawner, which wants a kubeconfig as soon as it is made: it gets none."""
    with (
        mock.patch("kubespawner.spawner.load_config"),
        mock.patch("kubespawner.spawner.shared_client"),
    ):
        made = KubeSpawner(config=config, _mock=True)
    made.user = SimpleNamespace(name="ada", id=1, groups=[])
    return made


async def measure(users: int = 20) -> dict[str, float]:
    """Return medians of milliseconds of CPU time, of users in turn, and kilobytes.

    *first* is the first user's, who pays for all.
    """
    config = configuration()
    taken: dict[str, list[float]] = {"mcks": [], "kubespawner": []}
    sizes = {}
    for _ in range(users + 1):
        for kind, make in (("mcks", ours), ("kubespawner", theirs)):
            made = make(config)
            before = time.process_time_ns()
            html = await made.get_options_form()
            taken[kind].append((time.process_time_ns() - before) / 1e6)
            assert html.count('name="profile"') == PROFILES
            sizes[f"{kind} kB"] = len(html.encode()) / 1e3
    medians = {kind: statistics.median(each[1:]) for kind, each in taken.items()}
    return {"first": taken["mcks"][0], **medians, **sizes}


def main() -> bool:
    """Print the result, a line for each bar; return whether all are met."""
    result = asyncio.run(measure())
    ratio = result["mcks"] / result["kubespawner"]
    rows = [
        (f"CPU, ms (the first: {result['first']:.0f})", result["mcks"], BAR_MS),
        (f"CPU beside KubeSpawner's {result['kubespawner']:.1f} ms", ratio, BAR_RATIO),
        (f"size beside KubeSpawner's {result['kubespawner kB']:.0f} kB", result["mcks kB"], BAR_KB),
    ]
    for title, value, bar in rows:
        verdict = "met" if value <= bar else "MISSED"
        print(
            f"form, {PROFILES} profiles x 5 options: {title}: {value:.3g} (bar: {bar}, {verdict})"
        )
    return all(value <= bar for _, value, bar in rows)


if __name__ == "__main__":
    main()
