"""Random walks through two real clusters: each server has at most one place, and a right one.

Hypothesis makes the walks, and shortens one that fails. MCKS_WALKS sets how many there are.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from traitlets.config import Config

from mcks.core.api import breaker
from mcks.core.api.deadlines import Deadlines, Pauses
from mcks.core.clusters.pool import Pool
from mcks.core.hub import address
from mcks.core.placement import drain_file, drains
from tests.hub.hub_process import running
from tests.hub.placement.walk import Clusters, Walk
from tests.hub.placement.walk_model import RULES, STEPS, Rules, Step
from tests.hub.quick_cluster import QuickCluster
from tests.hub.servers import HOME

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

WALKS = int(os.environ.get("MCKS_WALKS", "24"))
SHARED = HOME.replace("name: {{key}}", "name: home-{{username}}")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outages are short here; so is the time until the hub looks whether they are over."""
    deadlines = Deadlines(silence=1.0, total=5.0, doubt=3.0, between_watches=Pauses(0.2, 0.5))
    monkeypatch.setattr(Pool, "deadlines", deadlines)
    monkeypatch.setattr(address, "_LONGEST_PAUSE", 0.5)
    monkeypatch.setattr(breaker, "_FIRST_PAUSE", 1.0)
    monkeypatch.setattr(breaker, "_LONGEST_PAUSE", 2.0)
    monkeypatch.setattr(drains, "PAUSE", 0.0)
    monkeypatch.setattr(drain_file, "PAUSE", 0.0)


def configuration(clusters: Clusters, files: Path, rules: Rules) -> Config:
    config: Config = copy.deepcopy(clusters["a"].config)
    section = config.MultiClusterKubeSpawner
    section.objects.update({"05-home": SHARED})
    section.data = rules.policy
    section.start_timeout = 30
    section.poll_interval = 0  # a hub that was killed asks no more
    section.drain_file = str(files.with_suffix(".json"))
    anywhere = {"display_name": "Anywhere", "slug": "anywhere", "clusters": list(rules.order)}
    section.profile_list = [anywhere]
    section.clusters = {
        name: {**said, **rules.limits(name)} for name, said in section.clusters.items()
    }
    return config


async def walk_through(clusters: Clusters, files: Path, rules: Rules, steps: list[Step]) -> None:
    """Take all *steps*; one that fails is told, and leaves nothing to the next walk."""
    config, taken = configuration(clusters, files, rules), 0
    try:
        async with running(config, files) as hubs:
            walk = Walk(clusters, hubs, files, rules)
            for taken, step in enumerate(steps):  # noqa: B007
                await walk.take(step)
            taken = len(steps)
            await walk.finish()
            await walk.leave()
    except BaseException as exc:
        said = [f"{'->' if place == taken else '  '} {step}" for place, step in enumerate(steps)]
        exc.add_note("\n".join([str(rules), *said]))
        raise
    finally:
        for cluster in clusters.values():
            cluster.proxy.heal()
            await cluster.clear()


@pytest.mark.timeout(600)
async def test_whatever_happens_each_server_has_at_most_one_place_and_a_right_one(
    quick_clusters: dict[str, QuickCluster], tmp_path: Path
) -> None:
    loop, numbers = asyncio.get_running_loop(), itertools.count()

    @settings(
        max_examples=WALKS,
        derandomize=True,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
    )
    @given(RULES, STEPS)
    def walks(rules: Rules, steps: list[Step]) -> None:
        files = tmp_path / f"{next(numbers)}.sqlite"
        walk = walk_through(quick_clusters, files, rules, steps)
        asyncio.run_coroutine_threadsafe(walk, loop).result()

    await asyncio.to_thread(walks)
    assert next(numbers) >= WALKS
