"""Leave a cluster in which a start has failed: take out the user's data that it has made there.

The server itself is taken out before that (launch.py). Whether another cluster is tried, and who is
sent away from their data, does not belong here.

Data stays unless it is certain that nobody misses it: this very start has made it, no container of
its Pod has ever run, and no other server of the user may use it. It is deleted by its uid, so what
has taken its name meanwhile is left alone. A Namespace holds what other servers may have put there,
and costs nothing: it stays, and goes with its user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcks.core.labels import KEY_LABEL, lifetime
from mcks.core.objects import Ref, Selector, metadata
from mcks.core.pods import containers
from mcks.core.servers.server import Created, without
from mcks.core.servers.state import State
from mcks.errors import Forbidden, MCKSError, NotFound

if TYPE_CHECKING:
    from mcks.core.api.client import ClusterClient
    from mcks.core.clusters.connected import ConnectedCluster

_CLAIM = "PersistentVolumeClaim"


async def leave(connection: ConnectedCluster, created: Created, *, shared: bool = False) -> bool:
    """Delete the new data of a start whose Pod is gone; say whether none of it is left.

    *shared*: another server of the user is in that cluster and may use it. Never raises an
    MCKSError: what cannot be deleted is left.
    """
    new = [where for where in created.new_data if where.kind != "Namespace"]
    if new and (shared or not await _is_unused(connection, created)):
        return False
    for where in new:
        try:
            await connection.client.delete(where, uid=created.new_data[where])
        except MCKSError as exc:
            connection.log.warning("%s stays in %s: %s", where, connection.title, exc)
            return False
        created.new_data = {w: uid for w, uid in created.new_data.items() if w != where}
        created.kept = without(where, created.kept)
        created.data = without(where, created.data)
        created.deleted += (where,)
    return True


async def _is_unused(connection: ConnectedCluster, created: Created) -> bool:
    """Whether it is certain that nothing of this start has written anything."""
    uid = created.uids.get("Pod")
    if uid is None:
        return "Pod" not in created.uids or await _is_absent(connection, created.where("Pod"))
    pod = connection.pods_of(created.namespace).last(uid)
    return pod is not None and containers.none_has_run(pod)


async def _is_absent(connection: ConnectedCluster, where: Ref) -> bool:
    """Whether the cluster refused to make it: one that was made would still be ending."""
    try:
        await connection.client.get(where)
    except NotFound:
        return True
    except MCKSError:
        return False
    return False


async def found(client: ClusterClient, created: Created) -> list[Ref]:
    """Name the claims of the user that a start which nobody remembers has made, or has met.

    They are taken for data: nobody can tell whether its Pod has run.
    """
    selector = Selector("v1", _CLAIM, created.namespace, f"{KEY_LABEL}={created.key}")
    try:
        claims, _ = await client.list(selector, metadata_only=True)
    except Forbidden:
        return []  # a hub that never made a claim need not have this right
    return [
        Ref("v1", _CLAIM, metadata(claim)["name"], created.namespace)
        for claim in claims
        if created.owns(claim) and lifetime({**claim, "kind": _CLAIM}) == "user"
    ]


def forgotten(remembered: State, cluster: str, created: Created, kept_key: str) -> State:
    """Return *remembered* without what ``leave`` has deleted in *cluster*.

    The server has its former *kept_key* again if nothing else of this start hangs on its name.
    """
    if not created.kept:
        remembered = remembered._replace(kept_key=kept_key)
    deleted = {where for where in created.deleted if where not in created.data}
    return remembered.without_data(
        [datum for datum in remembered.data if datum.cluster == cluster and datum.where in deleted]
    )
