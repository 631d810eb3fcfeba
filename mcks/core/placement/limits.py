"""Limits of clusters and profiles: who may start a server, who waits for a turn, who is refused.

How servers are counted (counting.py), how turns are taken (turns_to_start.py), and how one ends
that is too old (ages.py), does not belong here.
"""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Hashable,
    Iterable,
    Mapping,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol
from weakref import ref

from mcks.core.administrator.limits import Limits
from mcks.core.clusters.cluster import CONTEXT_PREFIX, Cluster
from mcks.core.placement.counting import LetIn, Records, Scope, Server, Tally
from mcks.core.placement.spans import ordinal, span
from mcks.core.placement.turns_to_start import TurnsToStart
from mcks.core.servers.progress import Progress
from mcks.core.servers.starting import User
from mcks.core.servers.state import State
from mcks.errors import Full

_EACH_PLACE = 20
"""Up to this place in a queue each is told; of those behind it each tenth, as a page has an end."""


class Chosen(Protocol):
    """What the user has chosen, as far as it is limited."""

    title: str
    limits: Limits


class Row(Protocol):
    """A server's row in the hub's database."""

    id: int | None


class LimitedSpawner(Protocol):
    """A spawner, as far as its start depends on limits."""

    choosing: Chosen
    remembered: State
    known_clusters: Mapping[str, Any]

    @property
    def user(self) -> User:
        """Whose server it is."""

    @property
    def orm_spawner(self) -> Row:
        """Its row, which is no row of a database in ``mcks check``."""

    def __hash__(self) -> int:
        """Tell it from others."""


@dataclass(frozen=True)
class Hub:
    """What limits need of a hub: its *records*, also as far as they have been *seen*; what is said
    of a *cluster*; *others*, the names of the users of other hubs' servers there; and who follows
    the *age* of a server that runs."""

    records: Callable[[], Awaitable[Records]]
    seen: Callable[[], Records]
    cluster: Callable[[str, Mapping[str, Any]], Cluster]
    others: Callable[[str, Mapping[str, Any]], Awaitable[Collection[str]]]
    age: Callable[[Any], None]


class _Rule(NamedTuple):
    """The limits of one cluster or profile."""

    scope: Scope
    limits: Limits
    title: str
    foreign: Collection[str] = ()
    """Names of the users of other hubs' servers that count as well."""

    @property
    def elsewhere(self) -> bool:
        """Whether another cluster may take what this refuses."""
        return self.scope.cluster is not None


@dataclass
class _Queue:
    """Tells one start's place to its user."""

    progress: Progress
    titles: Mapping[Hashable, str]
    told: bool = False

    def tell(self, what: Hashable, place: int) -> None:
        """Tell the *place* in the queue for *what*."""
        if self.told and place > _EACH_PLACE and place % 10:
            return
        self.told, title = True, self.titles[what]
        self.progress.say(f"Waiting for your turn in {title}: {ordinal(place)} in the queue")


class StartLimits:
    """Lets starts in, one after another, as far as there is room."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._tally = Tally()
        self._turns = TurnsToStart()

    @asynccontextmanager
    async def start(
        self, spawner: LimitedSpawner, cluster: str, profile: str, progress: Progress
    ) -> AsyncIterator[None]:
        """Hold a place in *cluster* for a server of *profile*, once it is its turn to start.

        From then on it counts, until its objects are gone. Raises Full, and what a cluster answers
        whose other hubs' servers count as well.
        """
        rules = self._rules(spawner, cluster, profile)
        server = _server_of(spawner)
        if any(rule.limits.of_number for rule in rules):
            rules = [await self._with_others(rule, spawner) for rule in rules]
            records = await self._hub.records()  # nothing may be waited for after this
            self._tally.settle(records)
            for rule in rules:
                self._check(rule, server, spawner.user, records)
        else:
            self._tally.settle_if_many(self._hub.seen())
        gone = partial(_is_gone, ref(spawner), cluster)
        one = LetIn(cluster, profile, spawner.user.id, gone)
        self._tally.let_in(server, one)
        queue = _Queue(progress, {rule.scope: rule.title for rule in rules})
        turns = {rule.scope: rule.limits.max_starting for rule in rules}
        max_age = shortest(rule.limits.max_age for rule in rules)
        try:
            async with self._turns.turn(turns, queue.tell):
                spawner.remembered = spawner.remembered._replace(profile=profile, max_age=max_age)
                if max_age is not None:
                    progress.say(told_age(max_age))
                yield
        finally:
            self._tally.started(server)
        if max_age is not None:
            self._hub.age(spawner)

    def _rules(self, spawner: LimitedSpawner, cluster: str, profile: str) -> list[_Rule]:
        """The profile's come first: what they refuse, no other cluster takes."""
        limits = self._hub.cluster(cluster, spawner.known_clusters).limits
        title = cluster.removeprefix(CONTEXT_PREFIX)
        of_cluster = _Rule(Scope(cluster=cluster), limits, title)
        if not profile:
            return [of_cluster]
        chosen = spawner.choosing
        return [_Rule(Scope(profile=profile), chosen.limits, chosen.title or profile), of_cluster]

    async def _with_others(self, rule: _Rule, spawner: LimitedSpawner) -> _Rule:
        name, clusters = rule.scope.cluster, spawner.known_clusters
        if name is None or not rule.limits.of_number:
            return rule
        if not self._hub.cluster(name, clusters).count_other_hubs:
            return rule
        return rule._replace(foreign=await self._hub.others(name, clusters))

    def _check(self, rule: _Rule, server: Server, user: User, records: Records) -> None:
        most, most_of_user = rule.limits.max_servers, rule.limits.max_per_user
        if most_of_user is not None:
            scope = rule.scope._replace(user_id=user.id)
            foreign = sum(name == user.name for name in rule.foreign)
            if self._tally.others(scope, server, records) + foreign >= most_of_user:
                raise Full(_too_many_of_user(rule.title, most_of_user), elsewhere=rule.elsewhere)
        if most is not None:
            found = self._tally.others(rule.scope, server, records) + len(rule.foreign)
            if found >= most:
                details = f"({found} of max_servers = {most} are there)"
                raise Full(_full(rule.title, most), details=details, elsewhere=rule.elsewhere)


def told_age(seconds: float) -> str:
    """Say how long servers live.

    >>> told_age(8 * 3600)
    'A server ends 8 h after its start, used or not'
    """
    return f"A server ends {span(seconds)} after its start, used or not"


def _server_of(spawner: LimitedSpawner) -> Server:
    """Return the id of its row; the spawner itself if there is no database (``mcks check``)."""
    row_id = spawner.orm_spawner.id
    return ref(spawner) if row_id is None else row_id


def _is_gone(spawner: Callable[[], LimitedSpawner | None], cluster: str) -> bool:
    """Whether a server that was started in *cluster* is there no more."""
    one = spawner()
    return one is None or one.remembered.created is None or one.remembered.cluster != cluster


def shortest(ages: Iterable[int | None]) -> int | None:
    """Return the shortest of *ages*, of which None is without limit."""
    return min((age for age in ages if age is not None), default=None)


def _full(title: str, most: int) -> str:
    if most == 0:
        return f"{title} takes no servers at present. Choose another profile."
    servers = "one server" if most == 1 else f"{most} servers"
    return f"{title} is full: it takes {servers} at a time. Try again later, or elsewhere."


def _too_many_of_user(title: str, most: int) -> str:
    if most == 0:
        return f"{title} takes no servers at present. Choose another profile."
    servers = "one server" if most == 1 else f"{most} servers"
    return (
        f"You may have {servers} in {title} at a time, and have as many. "
        "Stop one of them, or start elsewhere."
    )
