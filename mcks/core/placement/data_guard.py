"""Near the data: where a user has volumes, and whether a server may start elsewhere. Pure.

How users say that it may (options_form.py, choosing.py), and what becomes of data that a failed
start has made (leaving.py), does not belong here.

Data is what a claim of lifetime ``user`` holds. Other objects of that lifetime, a Namespace or a
Secret, are made anew wherever a server starts. Claims of lifetime ``keep`` are not known here: they
may be anybody's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from mcks.core.clusters.cluster import CONTEXT_PREFIX
from mcks.core.labels import lifetime
from mcks.core.objects import Manifest
from mcks.core.profiles.offer import DataPolicy
from mcks.core.profiles.profile_list import DATA_OPTION, ELSEWHERE
from mcks.core.servers.state import UserObject
from mcks.errors import DataElsewhere

_KIND = "PersistentVolumeClaim"
_CLUSTER = "\0"
"""Stands for a cluster's name in that of a claim."""


class Consent(NamedTuple):
    """What an administrator's *policy* is, and whether the user *agreed* to start elsewhere."""

    policy: DataPolicy
    agreed: bool = False

    @property
    def is_bound(self) -> bool:
        """Whether the server may start with its data only."""
        return self.policy == "stay" or (self.policy == "ask" and not self.agreed)


def homes(data: Sequence[UserObject]) -> list[str]:
    """Return the clusters in which there is *data*, that which was used last, its last, first."""
    return [*dict.fromkeys(d.cluster for d in reversed(data) if d.where.kind == _KIND)]


def near(candidates: Sequence[str], homes: Sequence[str]) -> list[str]:
    """Return *candidates*, those with data first, in the order of *homes*."""
    with_data = [name for name in homes if name in candidates]
    return with_data + [name for name in candidates if name not in with_data]


def guarded(candidates: Sequence[str], homes: Sequence[str], consent: Consent) -> list[str]:
    """Return those of *candidates* in which a server may start whose data is in *homes*, in order.

    Raises DataElsewhere if there is none.
    """
    if not homes or not consent.is_bound:
        return near(candidates, homes)
    with_data = [name for name in homes if name in candidates]
    if candidates and not with_data:
        raise DataElsewhere(
            _refusal(candidates[0], homes, consent.policy), may_agree=consent.policy == "ask"
        )
    return with_data


def used(data: Sequence[UserObject], objects: Iterable[Manifest], cluster: str) -> list[UserObject]:
    """Return what of *data* a server with these *objects* would use, were it where the data is.

    That is decided by the names of claims, in which the name of its *cluster* may stand.
    """
    if not data:
        return []
    wanted = {m["metadata"]["name"] for m in objects if _is_claim(m) and lifetime(m) == "user"}
    anywhere = {name.replace(cluster, _CLUSTER) for name in wanted}
    return [
        datum
        for datum in data
        if datum.where.kind == _KIND
        and (
            datum.where.name in wanted
            or datum.where.name.replace(datum.cluster, _CLUSTER) in anywhere
        )
    ]


def checked(
    cluster: str, objects: Iterable[Manifest], data: Sequence[UserObject], consent: Consent
) -> str:
    """Return what to tell the user of a server with *objects* in *cluster* before it starts there.

    Raises DataElsewhere if it may not, because its *data* is elsewhere.
    """
    where = homes(used(data, objects, cluster))
    try:
        guarded([cluster], where, consent)
    except DataElsewhere as exc:
        exc.elsewhere = cluster in homes(data)  # what has any data at all is tried first
        raise
    if not where or cluster in where:
        return ""
    return f"Your data is in {listed(where)}. This server starts in {title(cluster)} without it"


def listed(clusters: Collection[str]) -> str:
    """Name *clusters* in a sentence."""
    return " and ".join(map(title, clusters))


def title(cluster: str) -> str:
    """Return the cluster's name for people."""
    return cluster.removeprefix(CONTEXT_PREFIX)


def _is_claim(manifest: Manifest) -> bool:
    return bool(manifest["kind"] == _KIND)


def _refusal(cluster: str, homes: Collection[str], policy: DataPolicy) -> str:
    where = f"Your data is in {listed(homes)}, and not in {title(cluster)}."
    if policy == "stay":
        return f"{where} Choose to start where it is, or try again when that is possible."
    return (
        f"{where} Choose to start where it is, or say in the form that this server may start "
        f'without it. (In the API, that is the option "{DATA_OPTION}": "{ELSEWHERE}".)'
    )
