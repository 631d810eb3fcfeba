"""One server as data: what is to be made, and what was made. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from mcks.core.clusters import addresses
from mcks.core.gateways.routes import POD, Target
from mcks.core.labels import HUB_LABEL, KEY_LABEL, UNOWNED
from mcks.core.objects import Manifest, Ref, metadata
from mcks.core.servers.environment import notebook_container

_NOTHING: Mapping[Ref, str] = MappingProxyType({})


@dataclass(slots=True)
class Created:
    """What a start has put into the cluster so far: enough to take it out again.

    ``uids`` holds the Secret's and the Pod's, None from the moment when a create was sent until
    its answer. ``unowned`` are the objects that no garbage collector will remove for us:
    cluster-scoped ones and those in other namespaces. ``keeps_data`` says that there are objects
    which outlive the server, so that its key must be remembered: ``kept``, as far as they are or
    may be there; ``data`` are the user's of these, ``new_data`` those that this start itself has
    made, with their uids, and ``deleted`` those that were taken out again. ``in_the_way`` is what
    an older server of this name has left and what has not gone yet.

    What is empty is that of all servers: each of many that run has little more than its names.
    """

    key: str
    namespace: str
    hub_id: str = ""
    uids: dict[str, str | None] = field(default_factory=dict)
    unowned: tuple[Ref, ...] = ()
    keeps_data: bool = False
    kept: tuple[Ref, ...] = ()
    data: tuple[Ref, ...] = ()
    new_data: Mapping[Ref, str] = field(default_factory=lambda: _NOTHING)
    deleted: tuple[Ref, ...] = ()
    in_the_way: tuple[Ref, ...] = ()

    def where(self, kind: str) -> Ref:
        """Name the Secret or the Pod."""
        return Ref("v1", kind, self.key, self.namespace)

    def owns(self, manifest: Manifest) -> bool:
        """Whether *manifest*, as it is in the cluster, is this server's: its labels say so."""
        labels: Mapping[str, str] = metadata(manifest).get("labels") or {}
        return labels.get(KEY_LABEL) == self.key and labels.get(HUB_LABEL, "") == self.hub_id


def unowned_of(secret: Manifest) -> tuple[Ref, ...]:
    """Read back which objects a server has that nothing owns."""
    said = (metadata(secret).get("annotations") or {}).get(UNOWNED)
    return tuple(Ref(*where) for where in json.loads(said)) if said else ()


def without(where: Ref, names: tuple[Ref, ...]) -> tuple[Ref, ...]:
    """Return *names* with one *where* less."""
    at = names.index(where)
    return names[:at] + names[at + 1 :]


def located(target: Target, pod: Manifest | None) -> Target:
    """Return *target* at the present address of its *pod*, if that is where it is asked."""
    if target.route != POD or pod is None:
        return target
    return target._replace(url=addresses.of_pod(pod, notebook_container(pod)) or target.url)


class Plan(NamedTuple):
    """One server to start: final *objects*, and where it must answer. *of_user* names those that
    are the user's, *of_server* has kind and name of these that no other server of the user has.
    *notes* tell the administrator what works, but not for long."""

    objects: Sequence[Manifest]
    target: Target
    created: Created
    of_user: Sequence[Ref] = ()
    of_server: frozenset[tuple[str, str]] = frozenset()
    notes: tuple[str, ...] = ()

    def data(self) -> Iterator[tuple[Ref, bool]]:
        """What the start has made of the user's data, and whether it is the server's alone."""
        for where in self.created.data:
            yield where, (where.kind, where.name) in self.of_server
