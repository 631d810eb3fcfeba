"""Any order of starts, ends and restarts: never over a limit, and nobody is forgotten."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mcks.core.administrator.limits import Limits
from mcks.errors import Full
from tests.core.placement.hub import Hub, Spawner, Start, settled

LIMIT = st.one_of(st.none(), st.integers(0, 4))
STARTING = st.one_of(st.none(), st.integers(1, 2))
LIMITS = st.builds(Limits, LIMIT, STARTING, LIMIT, st.none())
ROWS = st.integers(1, 9)
CLUSTERS = ("a", "b")
PROFILES = ("small", "large")
USERS = 3


class Servers(RuleBasedStateMachine):
    """Nine servers of three users in two clusters and with two profiles."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.of: dict[str, Limits] = {}
        self.starts: dict[int, Start] = {}
        """Those that wait or start."""
        self.running: dict[int, Start] = {}
        self.unrecorded: set[int] = set()

    @initialize(clusters=st.tuples(LIMITS, LIMITS), profiles=st.tuples(LIMITS, LIMITS))
    def begin(self, clusters: tuple[Limits, Limits], profiles: tuple[Limits, Limits]) -> None:
        self.of = dict(zip([*CLUSTERS, *PROFILES], [*clusters, *profiles], strict=True))
        self.hub = Hub(**{name: self.of[name]._asdict() for name in CLUSTERS})

    def teardown(self) -> None:
        for start in self.starts.values():
            self._run(start.cancel)
        self.loop.close()

    def _run(self, doing: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        async def done() -> Any:
            found = doing(*args, **kwargs)
            if asyncio.iscoroutine(found):
                found = await found
            await settled()
            return found

        return self.loop.run_until_complete(done())

    # -- what happens -----------------------------------------------------------------------

    @rule(row=ROWS, cluster=st.sampled_from(CLUSTERS), profile=st.sampled_from(PROFILES))
    def start(self, row: int, cluster: str, profile: str) -> None:
        if row in self.starts or row in self.running:
            return
        spawner = Spawner(row, row % USERS, self.of[profile])
        expected = self._refused(spawner, cluster, profile)
        start = self._run(self.hub.start, spawner, cluster, profile)
        refused = start.task.done() and isinstance(start.task.exception(), Full)
        assert refused == expected
        if not refused:
            self.starts[row] = start

    @rule(row=ROWS, recorded=st.booleans())
    def succeed(self, row: int, recorded: bool) -> None:
        if (start := self.starts.get(row)) is not None and start.starts:
            del self.starts[row]
            self._run(start.succeed, recorded=recorded)
            self.running[row] = start
            self.unrecorded |= set() if recorded else {row}

    @rule(row=ROWS)
    def record(self, row: int) -> None:
        if row in self.unrecorded:
            self.unrecorded.discard(row)
            self.hub.record(self.running[row].spawner)

    @rule(row=ROWS)
    def fail(self, row: int) -> None:
        if (start := self.starts.get(row)) is not None and start.starts:
            del self.starts[row]
            self._run(start.fail)

    @rule(row=ROWS)
    def cancel(self, row: int) -> None:
        if (start := self.starts.pop(row, None)) is not None:
            self._run(start.cancel)

    @rule(rows=st.lists(ROWS, min_size=2, max_size=4, unique=True))
    def cancel_at_once(self, rows: list[int]) -> None:
        starts = [self.starts.pop(row) for row in rows if row in self.starts]
        if starts:
            self._run(lambda: asyncio.gather(*(start.cancel() for start in starts)))

    @rule(row=ROWS)
    def stop(self, row: int) -> None:
        if (start := self.running.pop(row, None)) is not None:
            self.unrecorded.discard(row)
            self.hub.stop(start.spawner)

    @rule()
    def restart(self) -> None:
        for start in self.starts.values():
            self._run(start.cancel)
        self.starts.clear()
        for row in self.unrecorded:  # a hub that was killed then finds it gone
            del self.running[row]
        self.unrecorded.clear()
        self.hub.restart()

    # -- what must be so --------------------------------------------------------------------

    def _servers(self) -> list[Start]:
        return [*self.starts.values(), *self.running.values()]

    def _refused(self, spawner: Spawner, cluster: str, profile: str) -> bool:
        for name, key in ((cluster, "cluster"), (profile, "profile")):
            there = [one for one in self._servers() if getattr(one, key) == name]
            own = [one for one in there if one.spawner.user.id == spawner.user.id]
            for found, most in (
                (there, self.of[name].max_servers),
                (own, self.of[name].max_per_user),
            ):
                if most is not None and len(found) >= most:
                    return True
        return False

    @invariant()
    def no_limit_is_passed(self) -> None:
        for name, limits in self.of.items():
            there = [one for one in self._servers() if name in (one.cluster, one.profile)]
            starting = [one for one in there if one.starts]
            assert limits.max_servers is None or len(there) <= limits.max_servers
            assert limits.max_starting is None or len(starting) <= limits.max_starting

    @invariant()
    def nobody_waits_without_need_and_all_in_order(self) -> None:
        ahead: list[Start] = []
        for start in self.starts.values():
            if start.starts:
                continue
            full = [
                name
                for name in (start.profile, start.cluster)
                if (most := self.of[name].max_starting) is not None and self._starting(name) >= most
            ]
            told = re.search(r"turn in (.+): (\d+)", start.spawner.said[-1])
            assert told
            waits_for = start.cluster if told[1] == start.cluster else start.profile
            assert waits_for in full
            before = [one for one in ahead if waits_for in (one.cluster, one.profile)]
            assert int(told[2]) == len(before) + 1
            ahead.append(start)

    def _starting(self, name: str) -> int:
        return sum(one.starts and name in (one.cluster, one.profile) for one in self._servers())


Servers.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestServers = Servers.TestCase
