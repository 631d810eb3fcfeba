"""Find what servers left behind in a cluster, and which of it the hub knows nothing of. Pure.

Reading the cluster and deleting (sweep.py) does not belong here.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, TypeVar

from mcks.core.labels import HUB_LABEL, KEY_LABEL, SERVERNAME, USERNAME, lifetime
from mcks.core.objects import Manifest, Ref, metadata, ref
from mcks.core.servers.server import unowned_of
from mcks.core.servers.state import State, UserObject

T = TypeVar("T")


class Known(Protocol):
    """What the hub knows of its servers: never an orphan."""

    @property
    def servers(self) -> Container[tuple[str, str, str]]:
        """Cluster, namespace and key."""

    @property
    def uids(self) -> Container[str]:
        """Those of Pods and Secrets."""

    @property
    def unowned(self) -> Container[tuple[str, Ref]]:
        """Cluster and place of servers' objects elsewhere than in their namespace."""

    @property
    def data(self) -> Container[tuple[str, Ref]]:
        """Cluster and place of users' data."""

    @property
    def namespaces(self) -> AbstractSet[str]:
        """Where servers may live in clusters that name no namespace."""

    def places(self, cluster: str) -> AbstractSet[str]:
        """Return the namespaces of *cluster* in which there are servers, or data."""


@dataclass
class HubKnowledge:
    """What the hub knows of: never an orphan. Names of users are those of the hub's database."""

    servers: set[tuple[str, str, str]] = field(default_factory=set)
    """Cluster, namespace and key."""
    uids: set[str] = field(default_factory=set)
    unowned: set[tuple[str, Ref]] = field(default_factory=set)
    """Cluster and place of servers' objects elsewhere than in their namespace."""
    data: set[tuple[str, Ref]] = field(default_factory=set)
    users: frozenset[str] = frozenset()
    namespaces: set[str] = field(default_factory=set)
    """Where servers may live in clusters that name no namespace."""

    def places(self, cluster: str) -> set[str]:
        """Return the namespaces of *cluster* in which there are servers, or data."""
        running = {namespace for where, namespace, _ in self.servers if where == cluster}
        data = {ref.namespace for where, ref in self.data if where == cluster and ref.namespace}
        return running | data

    def add(self, remembered: State) -> None:
        """Take in a server and the data that hangs on it."""
        if (created := remembered.created) is not None:
            self.servers.add((remembered.cluster, created.namespace, created.key))
            self.uids |= {uid for uid in created.uids.values() if uid}
            self.unowned |= {(remembered.cluster, where) for where in created.unowned}
        self.add_data(remembered.data)

    def within(self, other: Known) -> bool:
        """Whether *other* knows all that is known of servers and data here."""
        return all(
            what in theirs
            for ours, theirs in (
                (self.servers, other.servers),
                (self.uids, other.uids),
                (self.unowned, other.unowned),
                (self.data, other.data),
            )
            for what in ours
        )

    def add_data(self, data: Iterable[UserObject]) -> None:
        """Take in data, whether a server runs with it or not."""
        self.data |= {(datum.cluster, datum.where) for datum in data}


class Both(Container[T]):
    """What is in one of two containers."""

    def __init__(self, one: Container[T], other: Container[T]) -> None:
        self._one, self._other = one, other

    def __contains__(self, what: object) -> bool:
        return what in self._one or what in self._other


@dataclass(frozen=True)
class Joined:
    """What is known from either of two sources, as they are when they are asked."""

    one: Known
    other: Known

    @property
    def servers(self) -> Container[tuple[str, str, str]]:
        """Cluster, namespace and key."""
        return Both(self.one.servers, self.other.servers)

    @property
    def uids(self) -> Container[str]:
        """Those of Pods and Secrets."""
        return Both(self.one.uids, self.other.uids)

    @property
    def unowned(self) -> Container[tuple[str, Ref]]:
        """Cluster and place of servers' objects elsewhere than in their namespace."""
        return Both(self.one.unowned, self.other.unowned)

    @property
    def data(self) -> Container[tuple[str, Ref]]:
        """Cluster and place of users' data."""
        return Both(self.one.data, self.other.data)

    @property
    def namespaces(self) -> AbstractSet[str]:
        """Where servers may live in clusters that name no namespace."""
        return self.one.namespaces | self.other.namespaces

    def places(self, cluster: str) -> AbstractSet[str]:
        """Return the namespaces of *cluster* in which there are servers, or data."""
        return self.one.places(cluster) | self.other.places(cluster)


class Orphan(NamedTuple):
    """An object that no server of the hub needs. *age* is in seconds.

    ``is_data``: it is a user's data. ``unowned`` are the objects that must go with it.
    """

    where: Ref
    uid: str
    key: str
    user: str
    server: str
    age: float
    is_data: bool = False
    unowned: tuple[Ref, ...] = ()

    def __str__(self) -> str:
        server = f", server {self.server!r}" if self.server else ""
        return f"{self.where} (user {self.user!r}{server})"


def strangers(cluster: str, objects: Iterable[Manifest], known: Known) -> list[Manifest]:
    """Return those of *objects* whose server is not known by its name.

    What ``of_servers`` finds is among them; this is the part that may be done bit by bit.
    """
    return [
        manifest
        for manifest in objects
        if KEY_LABEL in (metadata(manifest).get("labels") or {})
        and _place(cluster, manifest) not in known.servers
    ]


def of_servers(
    cluster: str, objects: Iterable[Manifest], known: Known, hub_id: str, now: datetime
) -> list[Orphan]:
    """Return the Pods and Secrets among *objects* that belong to no server in *known*.

    What has an owner is left out: Kubernetes removes it with that. So is what outlives servers, and
    what is not named like the server: only its Pod and its Secret are, of these kinds.
    """
    ours = [m for m in _of_hub(objects, hub_id) if _is_servers(m)]
    unowned = {_place(cluster, m): tuple(unowned_of(m)) for m in ours if m["kind"] == "Secret"}
    return [
        _orphan(manifest, now, unowned=unowned.get(_place(cluster, manifest), ()))
        for manifest in ours
        if not metadata(manifest).get("ownerReferences")
        and _place(cluster, manifest) not in known.servers
        and metadata(manifest)["uid"] not in known.uids
        and (cluster, ref(manifest)) not in known.unowned
    ]


def of_users(
    cluster: str, objects: Iterable[Manifest], known: HubKnowledge, hub_id: str, now: datetime
) -> list[Orphan]:
    """Return users' data among *objects* that the hub does not remember, of users unknown to it."""
    return [
        _orphan(manifest, now, is_data=True)
        for manifest in _of_hub(objects, hub_id)
        if lifetime(manifest) == "user"
        and (cluster, ref(manifest)) not in known.data
        and _annotation(manifest, USERNAME) not in known.users
    ]


def _is_servers(manifest: Manifest) -> bool:
    meta = metadata(manifest)
    return meta["name"] == meta["labels"][KEY_LABEL] and lifetime(manifest) == "server"


def _of_hub(objects: Iterable[Manifest], hub_id: str) -> Iterator[Manifest]:
    for manifest in objects:
        labels = metadata(manifest).get("labels") or {}
        goes = "deletionTimestamp" in metadata(manifest)
        if KEY_LABEL in labels and labels.get(HUB_LABEL, "") == hub_id and not goes:
            yield manifest


def _place(cluster: str, manifest: Manifest) -> tuple[str, str, str]:
    meta = metadata(manifest)
    return cluster, meta.get("namespace") or "", meta["labels"][KEY_LABEL]


def _annotation(manifest: Manifest, name: str) -> str:
    return str((metadata(manifest).get("annotations") or {}).get(name, ""))


def _orphan(
    manifest: Manifest, now: datetime, *, is_data: bool = False, unowned: tuple[Ref, ...] = ()
) -> Orphan:
    meta = metadata(manifest)
    created = datetime.fromisoformat(meta["creationTimestamp"]).astimezone(UTC)
    return Orphan(
        ref(manifest),
        meta["uid"],
        meta["labels"][KEY_LABEL],
        _annotation(manifest, USERNAME),
        _annotation(manifest, SERVERNAME),
        (now - created).total_seconds(),
        is_data,
        unowned,
    )
