"""Fleet: what all spawners of one hub share, its clusters and the sweeper that looks after them.

What a single server needs does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mcks.core import labels
from mcks.core.administrator.inventory import Inventory
from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.gateways.routes import check_public_url
from mcks.core.hub.sharing_spawner import SharingSpawner
from mcks.core.hub.sweep import MARGIN, RETRY_AFTER, PendingDeletion, Sweeper
from mcks.core.knowledge import database
from mcks.core.knowledge.memory import Memory
from mcks.core.placement import data_guard, drain_file, drains, limits
from mcks.core.placement.ages import Ages
from mcks.core.placement.drain_file import DrainFile
from mcks.core.placement.drains import Drain, Drains
from mcks.core.placement.limits import StartLimits
from mcks.core.placement.news import News
from mcks.core.placement.no_place import NoPlace
from mcks.core.pods import events
from mcks.core.profiles import kubespawner_section, namespaces
from mcks.core.servers import creation
from mcks.core.servers.server import Created, Plan
from mcks.core.servers.state import UserObject, namespace_in
from mcks.errors import (
    ASK_ADMINISTRATORS,
    AuthError,
    ConfigError,
    Drained,
    Forbidden,
    MCKSError,
    StartFailed,
    UnknownCluster,
    Unreachable,
)

if TYPE_CHECKING:
    from mcks.core.clusters.connected import ConnectedCluster

_SEEN_WITHIN = 20.0
"""Seconds within which a start must see the servers that count."""


class Fleet:
    """What the spawners of one hub share, of which *spawner* is the first. Use ``fleet_of``.

    *retry_after*: seconds until what could not be deleted is tried again.
    """

    def __init__(self, spawner: SharingSpawner, *, retry_after: float = RETRY_AFTER) -> None:
        from mcks.core.clusters.pool import Pool  # noqa: PLC0415 - see sharing.AHEAD

        self._hub_id, self._log = spawner.hub_id, spawner.log
        for note in _without_effect(spawner):
            self._log.warning("%s", note)
        self.memory = Memory(
            spawner.user.db, spawner.hub_id, spawner.log, namespaces.beside_profiles(spawner)
        )
        self._planning = asyncio.Lock()
        self.no_place = NoPlace()
        self._noted: set[str] = set()
        self.sweeper = Sweeper(
            spawner.hub_id,
            self.memory,
            spawner.log,
            min_age=spawner.start_timeout + MARGIN,
            retry_after=retry_after,
        )
        self.pool = Pool(spawner.config, spawner.log, self.sweeper.look_after)
        file = drain_file.place(spawner.drain_file, database.url_of(spawner.config))
        self._drains = Drains(DrainFile(file, spawner.log).current, spawner.log)
        self.news = News(self.pool, self.unavailable, spawner.log)
        self.closed = asyncio.Event()
        self.ages = Ages(self._warn)
        self.limits = StartLimits(
            limits.Hub(
                self.memory.counts,
                self.memory.seen_counts,
                lambda name, clusters: self.pool.configured(name, clusters).cluster,
                self._users_of_other_hubs,
                self.ages.follow,
            )
        )
        self.memory.learn(self.pool.run(self._read_profiles(spawner)))
        self.pool.run(self.memory.keep())
        self.pool.run(self.ages.keep())
        self._followed: list[Inventory] = []
        self.follow(spawner)

    async def _read_profiles(self, spawner: SharingSpawner) -> None:
        """Read the profiles before somebody wants to see them, and where their servers live."""
        self.memory.live_in(await namespaces.of_profiles(spawner))

    def join(self, spawner: SharingSpawner) -> None:
        """Let the sweeper know of a server that the database may not know of yet."""
        self.memory.join(spawner, namespaces.of_start(spawner))
        self.sweeper.min_age = max(self.sweeper.min_age, spawner.start_timeout + MARGIN)

    def follow(self, spawner: SharingSpawner) -> None:
        """Read the clusters of *spawner* again and again, if a function names them."""
        from mcks.core.clusters.configure import configure  # noqa: PLC0415 - see sharing.AHEAD

        named = spawner.known_clusters
        if not isinstance(named, Inventory) or any(named is one for one in self._followed):
            return
        self._followed.append(named)

        def check(name: str, settings: Mapping[str, Any]) -> None:
            configure(name, {name: settings}, spawner.config, self._log)

        named.follow(self._log, check, partial(self._replaced, named.ever))
        self.pool.run(named.keep(spawner.clusters_interval))

    def _replaced(
        self, clusters: Mapping[str, Any], name: str, before: Mapping[str, Any] | None
    ) -> None:
        """Go on with the cluster *name* as *clusters* say it now; *before* are other settings."""
        former = {} if before is None else {name: before}
        if before is not None:
            self.pool.forget(name, before)
        connected = self.pool.peek(name, former)
        was, now = self.pool.breaker(name, former), self.pool.breaker(name, clusters)
        if was is now:
            return
        needed = connected is not None or self.sweeper.has_pending(was)
        self.sweeper.hand_over(was, now)
        if needed:
            self.pool.run(self._succeed(name, clusters, connected))

    async def _succeed(
        self, name: str, clusters: Mapping[str, Any], former: ConnectedCluster | None
    ) -> None:
        """Connect to a cluster whose settings are others now; then let go of what was before."""
        await self._reach(name, clusters)
        if former is None:
            return
        await asyncio.sleep(self.sweeper.min_age)  # starts under way go on with the former one
        current = self.pool.peek(name, clusters)
        if current is not None and current is not former:
            self.sweeper.hand_over(former.breaker, current.breaker)
            await self.pool.disconnect(former)

    async def plan(self, spawner: SharingSpawner, configured: ConfiguredCluster) -> Plan:
        """Plan the start of *spawner*, one start in each turn of the event loop.

        Raises ConfigError, and StartFailed if its names are another user's.
        """
        from mcks.core.servers import plan  # noqa: PLC0415 - see sharing.AHEAD

        async with self._planning:
            remembered, cluster, user = spawner.remembered, configured.cluster.name, spawner.user
            data = (*remembered.data, *database.data_of_user(user))
            planned = plan.make(
                spawner, configured, remembered.kept_key, namespace_in(data, cluster)
            )
            await self._check_names(user, cluster, planned)
            self._note(planned.notes)
            await asyncio.sleep(0)  # many that start at once must not hold up the hub together
        return planned

    async def _check_names(self, user: database.HubUser, cluster: str, planned: Plan) -> None:
        """Refuse to start *planned* for *user* if its names are another's. Raises StartFailed."""
        other = await self.memory.other_holder(user, cluster, planned.created, planned.of_user)
        if other:
            raise StartFailed(
                f"The name of your server, or of its data, is another user's. {ASK_ADMINISTRATORS}",
                details=f"{planned.created.key} or data of it in cluster {cluster!r} are those of "
                f"the user {other!r}, who was called otherwise when they were made: stop that "
                "server, move or delete that data, or give this user another name",
                reason="name-taken",
            )

    def check_data(
        self,
        spawner: SharingSpawner,
        planned: Plan,
        say: Callable[[str], None],
        empty: Collection[UserObject] = (),
    ) -> None:
        """Tell the user if *planned* starts without their data. Raises DataElsewhere.

        What is known to be *empty* keeps nobody.
        """
        choosing, cluster = spawner.choosing, spawner.remembered.cluster
        consent = data_guard.Consent(choosing.data_policy, choosing.agreed)
        data = [datum for datum in self.memory.data_for(spawner) if datum not in empty]
        if away := data_guard.checked(cluster, planned.objects, data, consent):
            say(away)

    def _note(self, notes: Iterable[str]) -> None:
        """Tell the administrator each thing once."""
        for note in set(notes) - self._noted:
            self._noted.add(note)
            self._log.warning("%s", note)

    def unavailable(self, cluster: str, clusters: Mapping[str, Any]) -> str:
        """Say to users why no server can start in *cluster* at present; empty if one can."""
        if drained := self.drained(cluster, clusters):
            return drained
        cause = self.pool.breaker(cluster, clusters).unavailable
        if cause is None:
            return self._gateway_unavailable(cluster, clusters)
        known = isinstance(cause, AuthError)
        return "the hub cannot log in to its cluster." if known else "its cluster does not answer."

    def drained(self, cluster: str, clusters: Mapping[str, Any]) -> str:
        """Say to users that *cluster* takes no new servers, and why; empty if it does."""
        found = self._drain(cluster, clusters)
        return drains.sentence(found) if found else ""

    def refuse_drained(self, cluster: str, clusters: Mapping[str, Any]) -> None:
        """Raise Drained if *cluster* takes no new servers."""
        if found := self._drain(cluster, clusters):
            raise Drained(cluster, drains.closed(found.reason))

    def _drain(self, cluster: str, clusters: Mapping[str, Any]) -> Drain | None:
        setting: drains.Setting = False
        with contextlib.suppress(ConfigError):  # a start tells that in better words
            setting = self.pool.configured(cluster, clusters).cluster.drain
        return self._drains.of(cluster, setting)

    async def _users_of_other_hubs(self, cluster: str, clusters: Mapping[str, Any]) -> list[str]:
        """Name the users of the servers that other hubs have where this one watches *cluster*.

        Raises Unreachable if they cannot be seen.
        """
        connected = await self.pool.connect(cluster, clusters)
        pods = connected.pods_of(connected.namespace)
        try:
            async with asyncio.timeout(_SEEN_WITHIN):
                await pods.synced.wait()
        except TimeoutError as exc:
            what = "its Pods cannot be listed, so other hubs' servers cannot be counted"
            raise Unreachable(f"cluster {cluster!r}: {what}") from exc
        return [labels.username(pod) for pod in pods.values() if labels.hub_of(pod) != self._hub_id]

    async def _warn(self, spawner: SharingSpawner, sentence: str) -> None:
        """Let the tools of the cluster show *sentence* beside the Pod of *spawner*."""
        created, cluster = spawner.remembered.created, spawner.remembered.cluster
        if created is None:
            return
        try:
            connected = await self.pool.connect(cluster, spawner.clusters_ever)
            pod, uid = created.where("Pod"), created.uids.get("Pod")
            await connected.client.create(events.warning(pod, uid, "EndsSoon", sentence))
        except Forbidden:
            why = "the hub may not create Events, so none tells that a server ends soon"
            self._note([f"cluster {cluster!r}: {why}: grant it 'create' on 'events'"])
        except MCKSError as exc:
            self._log.warning("No Event tells that %s ends soon: %s", created.where("Pod"), exc)

    def _gateway_unavailable(self, cluster: str, clusters: Mapping[str, Any]) -> str:
        connected = self.pool.peek(cluster, clusters)
        if connected is None or not (url := connected.cluster.ingress_public_url):
            return ""
        silent = connected.http.silent(check_public_url(url))
        return "the gateway of its cluster does not answer." if silent else ""

    def delete_later(self, cluster: str, clusters: Mapping[str, Any], created: Created) -> None:
        """Delete *created* in *cluster* as soon as that can be reached. This is forgotten with the
        hub's process; then its labels tell (``hub_id``)."""
        self._carry_out_later(cluster, clusters, PendingDeletion(created=created))

    def _carry_out_later(
        self, cluster: str, clusters: Mapping[str, Any], deletion: PendingDeletion
    ) -> None:
        self.sweeper.delete_later(self.pool.breaker(cluster, clusters), deletion)
        if self.pool.peek(cluster, clusters) is None:
            self.pool.run(self._reach(cluster, clusters))

    async def delete_data(self, datum: UserObject, clusters: Mapping[str, Any]) -> None:
        """Delete a user's object now, or as soon as its cluster can be reached."""
        try:
            connected = await self.pool.connect(datum.cluster, clusters)
            if await creation.remove_data(connected.client, datum.where, self._hub_id):
                self._log.info("Deleted %s in cluster %r", datum.where, datum.cluster)
        except UnknownCluster as exc:
            self._log.warning("%s stays: %s", datum.where, exc)
        except MCKSError as exc:
            self._log.warning("%s will be deleted later: %s", datum.where, exc)
            self._carry_out_later(datum.cluster, clusters, PendingDeletion(data=datum.where))

    async def _reach(self, cluster: str, clusters: Mapping[str, Any]) -> None:
        """Connect, so that the sweeper looks after the cluster."""
        while True:
            try:
                await self.pool.connect(cluster, clusters)
            except ConfigError as exc:
                self._log.error("Nothing can be deleted in cluster %r: %s", cluster, exc)
            except MCKSError:
                await asyncio.sleep(self.sweeper.retry_after)
                continue
            return

    async def close(self) -> None:
        """Close every connection; the next spawner begins a new fleet."""
        self.closed.set()
        self.memory.close()
        await self.news.capacity.close()
        await self.pool.close()


def _without_effect(spawner: SharingSpawner) -> list[str]:
    """What the hub's configuration says in KubeSpawner's section, and nobody reads."""
    ours = spawner.trait_names(config=True)
    told = kubespawner_section.problems(spawner.config, ours)
    return told + kubespawner_section.notes(spawner.config, ours)
