"""Many starts at once, while all is well and while a part of the clusters is not; their figures.

Who else runs (scale_hub), and what the figures should be (bench_scale), does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from jupyterhub import orm

from mcks.core.api.turns import Turns
from mcks.core.hub.sharing import fleet_of
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.bench.scale_watch import Figures, Watched

STARTS = 500
_WAITING = 200
"""Starts that wait for a silent gateway."""
_OWN = 20
"""Starts in a cluster that does not answer."""
_ROUNDS = 3
TUNED = (700, 10, 1000)
_LONG = 600
_ARRIVALS = Turns()
"""Each user comes by a request of their own: not all in one turn of the event loop."""


@contextlib.contextmanager
def tuned() -> Iterator[None]:
    """Let Python look for garbage as seldom as docs/explanation/scale.md says how to ask for.

    Who looks at a part of the clusters wants that: which starts a look at everything falls into is
    chance, and it takes longer than they do.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(*TUNED)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def told(line: str) -> Any:
    """Tell the clusters *line*, and return how many requests they have seen."""
    print(line, flush=True)
    return json.loads(sys.stdin.readline())


async def tell(line: str) -> Any:
    """Do the same while the loop goes on."""
    return await asyncio.to_thread(told, line)


class Seen(NamedTuple):
    """What each start of a storm took, in seconds, and the hub's CPU for one, in milliseconds."""

    walls: list[float]
    cpu: float


class Storms:
    """Begins *starts* servers at once, again and again, beside those that run."""

    def __init__(self, users: Any, clusters: Sequence[str], starts: int) -> None:
        self._users, self._clusters, self._starts = users, clusters, starts
        self._made = 0

    def spawners(self, count: int, clusters: Sequence[str]) -> list[Any]:
        """Make spawners of new users whose profiles name *clusters* in turn."""
        session, made = self._users.db, []
        rows = [orm.User(name=f"storm-{self._made + n}") for n in range(count)]
        self._made += count
        session.add_all(rows)
        session.commit()
        for number, row in enumerate(rows):
            spawner = self._users[row].spawners[""]
            spawner.api_token = "0123456789abcdef0123456789abcdef"
            spawner.start_timeout = _LONG
            name = clusters[number % len(clusters)]
            spawner.user_options = {"profile": f"profile-{self._clusters.index(name)}"}
            made.append(spawner)
        return made

    async def all_well(self, watched: Watched, figures: Figures) -> None:
        """Start and stop all."""
        await self._counted(watched, figures, "storm")

    async def looked_at(self, watched: Watched, figures: Figures) -> None:
        """Do the same while everybody looks on."""
        await self._counted(watched, figures, "watched storm", look=True)

    async def in_a_tuned_hub(self, watched: Watched, figures: Figures) -> None:
        """Do both in a hub that is `tuned`."""
        await self._all(watched, figures, "tuned storm")
        await self._all(watched, figures, "tuned watched storm", look=True)

    async def _counted(
        self, watched: Watched, figures: Figures, name: str, look: bool = False
    ) -> None:
        before = await tell("count")
        await self._all(watched, figures, name, look)
        after = await tell("count")
        figures |= {f"{name} {what}": (after[what] - before.get(what, 0)) for what in after}

    async def _all(self, watched: Watched, figures: Figures, name: str, look: bool = False) -> None:
        spawners = self.spawners(self._starts, self._clusters)
        await self._storm(watched, figures, name, spawners, look)

    async def one_gateway_silent(self, watched: Watched, figures: Figures) -> None:
        """Compare starts elsewhere with and without many that wait for a silent gateway."""
        first, *others = self._clusters
        well, troubled = [await self._seen(watched, others)], []
        for _ in range(_ROUNDS):
            await tell(f"silent-gateway {self._clusters.index(first)}")
            waiting = self.spawners(min(_WAITING, self._starts), [first])
            starts = [asyncio.create_task(_start(spawner)) for spawner in waiting]
            await _until_created(waiting, starts)
            troubled.append(await self._seen(watched, others))
            await tell("heal")
            await asyncio.gather(*starts, return_exceptions=True)
            await _stop(waiting)
            well.append(await self._seen(watched, others))
        _note(figures, "silent gateway", well, troubled)

    async def two_clusters_away(self, watched: Watched, figures: Figures) -> None:
        """Compare starts elsewhere beside some in two clusters that are well, or are away: one is
        silent, one refuses."""
        silent, refusing, *others = self._clusters
        told_after, refused_after = [], []
        well, troubled = [await self._beside_lucky(watched, (silent, refusing), others)], []
        for _ in range(_ROUNDS):
            await tell(f"silent-api {self._clusters.index(silent)}")
            await tell(f"refuse-api {self._clusters.index(refusing)}")
            unlucky = self.spawners(2 * _OWN, [silent, refusing])
            starts = asyncio.gather(*map(_refused, unlucky))
            troubled.append(await self._seen(watched, others))
            told_after.append(max(await starts))
            late = self.spawners(2, [silent, refusing])
            refused_after += [await _refused(spawner) for spawner in late]
            await tell("heal")
            await self._until_back(late[0], (silent, refusing))
            well.append(await self._beside_lucky(watched, (silent, refusing), others))
        figures["away told s"] = max(told_after)
        figures["away refused ms"] = max(refused_after) * 1e3
        _note(figures, "away", well, troubled)

    async def _beside_lucky(
        self, watched: Watched, clusters: Sequence[str], others: Sequence[str]
    ) -> Seen:
        """Look at starts in *others* beside as many in *clusters* as will be unlucky."""
        lucky = self.spawners(2 * _OWN, clusters)
        starts = asyncio.gather(*map(_start, lucky))
        seen = await self._seen(watched, others)
        await starts
        await _stop(lucky)
        return seen

    async def _until_back(self, spawner: Any, clusters: Sequence[str]) -> None:
        pool = fleet_of(spawner).pool
        for name in clusters:
            while pool.breaker(name, spawner.known_clusters).is_open:
                await asyncio.sleep(0.05)

    async def _seen(self, watched: Watched, clusters: Sequence[str]) -> Seen:
        figures: Figures = {}
        walls = await self._storm(watched, figures, "", self.spawners(self._starts, clusters))
        return Seen(walls, figures[" ms"])

    async def _storm(
        self, watched: Watched, figures: Figures, name: str, spawners: list[Any], look: bool = False
    ) -> list[float]:
        """Start *spawners* at once and stop them; note what one took."""

        async def start() -> list[float]:
            return await asyncio.gather(*(_start(spawner, look) for spawner in spawners))

        walls: list[float] = await watched.of(figures, name, start)
        figures[f"{name} ms"] = figures[f"{name} cpu s"] * 1e3 / len(spawners)
        figures[f"{name} p50 s"] = statistics.median(walls)
        await watched.of(figures, f"{name} stop", lambda: _stop(spawners))
        figures[f"{name} stop ms"] = figures[f"{name} stop cpu s"] * 1e3 / len(spawners)
        return walls


async def _start(spawner: Any, look: bool = False) -> float:
    await _ARRIVALS.next()
    began = time.perf_counter()
    if isinstance(spawner, MultiClusterKubeSpawner):  # KubeSpawner does so when it starts
        await spawner.apply_profile(spawner.user_options)
    looking = asyncio.create_task(_look(spawner)) if look else None
    await spawner.start()
    took = time.perf_counter() - began
    if looking is not None:
        await looking
    return took


async def _refused(spawner: Any) -> float:
    """Start what cannot start; return after which time the user was told."""
    began = time.perf_counter()
    with contextlib.suppress(Exception):
        await _start(spawner)
        raise AssertionError("it did start")
    return time.perf_counter() - began


async def _look(spawner: Any) -> None:
    """Look at the progress page of a start that has begun."""
    lines = [line async for line in spawner.progress()]
    assert lines


async def _stop(spawners: list[Any]) -> None:
    await asyncio.gather(*(spawner.stop() for spawner in spawners))


async def _until_created(spawners: list[Any], starts: list[asyncio.Task[float]]) -> None:
    """Wait until each has a Pod, or is refused because its gateway is known to be silent."""
    for spawner, start in zip(spawners, starts, strict=True):
        while not start.done():
            if spawner._progress is not None and spawner._progress.accepted.is_set():
                break
            await asyncio.sleep(0.01)


def _note(figures: Figures, name: str, well: Sequence[Seen], troubled: Sequence[Seen]) -> None:
    """Note by how much the *troubled* are worse, as the median of the rounds: each is compared with
    those that were well before and after it, as a hub becomes larger, and a machine busier."""
    rounds = zip(troubled, pairwise(well), strict=True)
    shares = [_compared(worse, before, after) for worse, (before, after) in rounds]
    for words, some in zip(("p50", "p99", "cpu"), zip(*shares, strict=True), strict=True):
        figures[f"{name} {words} %"] = statistics.median(some) * 100


def _compared(worse: Seen, before: Seen, after: Seen) -> tuple[float, float, float]:
    """By how much the median, the 99th percentile and the CPU are worse, as shares."""
    theirs, ours = (
        statistics.quantiles(walls, n=100) for walls in (worse.walls, before.walls + after.walls)
    )
    cpu = 2 * worse.cpu / (before.cpu + after.cpu)
    return theirs[49] / ours[49] - 1, theirs[98] / ours[98] - 1, cpu - 1
