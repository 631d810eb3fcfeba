"""Put a server's objects into a cluster in the right order; take them out again.

What the objects are, and whether the server works, does not belong here.

The order follows from Kubernetes. A Pod is refused until its ServiceAccount exists, and its Secret
must exist before the container starts; so the Secret is the anchor that owns the rest, and when
the Pod exists it becomes the Secret's owner: when it goes, by whoever's hand, everything goes.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mcks.core.api.no_answer import OutcomeUnknown, ServerUnreachable
from mcks.core.api.request import Answer
from mcks.core.labels import HUB_LABEL, KEY_LABEL, LIFETIME, UNOWNED, USERNAME, lifetime
from mcks.core.objects import Manifest, Ref, metadata, ref
from mcks.core.servers.environment import find
from mcks.core.servers.server import Created, unowned_of, without
from mcks.errors import (
    ConfigError,
    Conflict,
    Forbidden,
    MCKSError,
    NotFound,
    ServerError,
    Unavailable,
    Unreachable,
)

if TYPE_CHECKING:
    from mcks.core.api.client import ClusterClient

_TRIES = 5
_RACES = 9
"""Further tries, in about four seconds, of a create that lost a race."""
_LEFTOVER_GRACE = 1
_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


async def locate(
    client: ClusterClient, objects: Iterable[Manifest], namespace: str
) -> list[Manifest]:
    """Return *objects* with *namespace* in those that are namespaced and name none."""
    located = []
    for manifest in objects:
        meta = metadata(manifest)
        if not meta.get("namespace") and await client.namespaced(
            manifest["apiVersion"], manifest["kind"]
        ):
            manifest = {**manifest, "metadata": {**meta, "namespace": namespace}}  # noqa: PLW2901
        located.append(manifest)
    return located


async def create_all(
    client: ClusterClient, objects: Sequence[Manifest], created: Created
) -> Manifest:
    """Create *objects*, anchored as the module says, and return the Pod as created.

    *created* is kept up to date while this runs, so that ``remove`` can undo a half-done start.
    It takes one request for each object and one more, if nothing is in the way.
    """
    secret = find(objects, "Secret", created.key)
    pod = find(objects, "Pod", created.key)
    rest = [m for m in objects if m is not secret and m is not pod]
    kept = [m for m in rest if lifetime(m) != "server"]
    passing = [m for m in rest if m not in kept]
    created.keeps_data = bool(kept)
    for stage in _stages(kept):
        await _each(_create_if_absent(client, manifest, created) for manifest in stage)
    unowned = [m for m in passing if not _can_be_owned(m, created)]
    anchor = await _create_noted(client, _naming(secret, [ref(m) for m in unowned]), created)
    owner = [_owner_reference(anchor)]
    for stage in _stages(passing):
        owned = [_owned(m, [] if m in unowned else owner, created) for m in stage]
        await _together(_create(client, m, created) for m in owned)
    running = await _create_noted(client, pod, created)
    await client.patch(
        ref(anchor), {"metadata": {"ownerReferences": [_owner_reference(running)]}}, type="merge"
    )
    return running


def _can_be_owned(manifest: Manifest, created: Created) -> bool:
    """An owner in another namespace makes the garbage collector delete a living object."""
    return metadata(manifest).get("namespace") == created.namespace


def _naming(secret: Manifest, unowned: Sequence[Ref]) -> Manifest:
    if not unowned:
        return secret
    named = json.dumps([[w.api_version, w.kind, w.name, w.namespace] for w in unowned])
    meta = metadata(secret)
    annotations = {**(meta.get("annotations") or {}), UNOWNED: named}
    return {**secret, "metadata": {**meta, "annotations": annotations}}


def _stages(objects: Iterable[Manifest]) -> list[list[Manifest]]:
    """Namespaces first, then what needs nothing, then bindings (they need Roles), then Pods."""
    stages: dict[str, list[Manifest]] = {"Namespace": [], "": [], "RoleBinding": [], "Pod": []}
    for manifest in objects:
        stage = manifest["kind"].removeprefix("Cluster")
        stages.get(stage, stages[""]).append(manifest)
    return [stage for stage in stages.values() if stage]


async def _together(creations: Iterable[Coroutine[Any, Any, Answer | None]]) -> None:
    """Run *creations* at once; the first error cancels the others."""
    tasks = [asyncio.create_task(creation) for creation in creations]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _each(actions: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run *actions* at once, each to its end, so that it is known what there is; then raise the
    first error."""
    for result in await asyncio.gather(*actions, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def _owner_reference(owner: Manifest) -> dict[str, Any]:
    """Without ``blockOwnerDeletion``: it would need a right on finalizers."""
    meta = metadata(owner)
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
    }


def _owned(manifest: Manifest, owner: list[dict[str, Any]], created: Created) -> Manifest:
    """Return what goes with the server; without an *owner* it is noted, to be deleted."""
    if not owner:
        created.unowned += (ref(manifest),)
        return manifest
    meta = metadata(manifest)
    owners = [*(meta.get("ownerReferences") or ()), *owner]
    return {**manifest, "metadata": {**meta, "ownerReferences": owners}}


async def _create_noted(client: ClusterClient, manifest: Manifest, created: Created) -> Manifest:
    created.uids[manifest["kind"]] = None
    made: Manifest = (await _create(client, manifest, created)).json()
    created.uids[manifest["kind"]] = metadata(made)["uid"]
    return made


async def _create_if_absent(client: ClusterClient, manifest: Manifest, created: Created) -> None:
    """Data is never changed once it exists; but it must be this server's own.

    What is just being deleted is waited for and made anew: nothing can use it any more.
    """
    where, of_user = ref(manifest), lifetime(manifest) == "user"
    created.kept += (where,)
    if of_user:
        created.data += (where,)
    try:
        answer, is_new = await _find_or_create(client, manifest)
        if not is_new:
            _check_existing(answer, manifest, created)
    except MCKSError as exc:
        if _is_refusal(exc):
            created.kept = without(where, created.kept)
            if of_user:
                created.data = without(where, created.data)
        raise
    if of_user and is_new:
        created.new_data = {**created.new_data, where: str(metadata(answer)["uid"])}


async def _find_or_create(client: ClusterClient, manifest: Manifest) -> tuple[Manifest, bool]:
    """Return the object and whether it is new.

    A quota that is used up forbids what exists already, before anybody looks whether it does.
    """
    while True:
        try:
            return (await _send(client, manifest)).json(), True
        except (Conflict, Forbidden) as exc:
            try:
                existing = await client.get(ref(manifest))
            except (NotFound, Forbidden) as unseen:
                taken = isinstance(exc, Conflict) and isinstance(unseen, Forbidden)
                raise unseen if taken else exc from None
        if not metadata(existing).get("deletionTimestamp"):
            return existing, False
        await wait_until_gone(client, ref(existing), metadata(existing)["uid"])


def _is_refusal(exc: MCKSError) -> bool:
    """Whether a create that ended so has certainly made nothing, and found nothing of the user."""
    if isinstance(exc, Unreachable):
        return _never_sent(exc)
    return not isinstance(exc, Conflict | ServerError)


def _check_existing(existing: Manifest, wanted: Manifest, created: Created) -> None:
    meta = metadata(existing)
    if meta.get("ownerReferences") and (meta.get("annotations") or {}).get(LIFETIME) == "server":
        raise ConfigError(
            f"{ref(existing)} goes with a server, such as that of `mcks check --start`, and what "
            "is kept in it would go as well: start again when it is gone"
        )
    of_user = wanted["kind"] != "Namespace" and lifetime(wanted) == "user"
    if of_user and not _same_user(existing, wanted, created):
        _check_ours(existing, created)


async def _send(client: ClusterClient, manifest: Manifest) -> Answer:
    """Create *manifest*, again if the answer is that others were faster.

    Many creates at once race for a quota's object; the API server gives up after some rounds, with
    a 409 that says Conflict. That of a name which is taken says AlreadyExists.
    """
    pause = _PAUSE
    for _ in range(_RACES):
        try:
            return await client.create(manifest)
        except Conflict as exc:
            if exc.reason != "Conflict":
                raise
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
        pause = min(pause * 2, _LONGEST_PAUSE)
    return await client.create(manifest)


async def _create(client: ClusterClient, manifest: Manifest, created: Created) -> Answer:
    """Create *manifest*; what a former start of the same server left behind is replaced.

    A leftover is never used: the hub makes a new API token for each start.
    """
    for turn in range(_TRIES):
        try:
            return await _send(client, manifest)
        except Unreachable as exc:
            if turn == 0 and _never_sent(exc):
                _forget(manifest, created)
            raise
        except Conflict as exc:
            if exc.reason == "Conflict":
                raise
            await _remove_leftover(client, manifest, created)
    return await _send(client, manifest)


def _never_sent(exc: Unreachable) -> bool:
    """Whether a create that ended so has made nothing, and has met nothing either."""
    no_connection = isinstance(exc, ServerUnreachable) and not isinstance(exc, OutcomeUnknown)
    return no_connection or isinstance(exc, Unavailable)


def _forget(manifest: Manifest, created: Created) -> None:
    """Let nobody look for *manifest*, which was noted before it was to be sent."""
    kind, where = manifest["kind"], ref(manifest)
    if where in created.unowned:
        created.unowned = without(where, created.unowned)
    if kind in created.uids and created.uids[kind] is None and where == created.where(kind):
        del created.uids[kind]


async def _remove_leftover(client: ClusterClient, manifest: Manifest, created: Created) -> None:
    try:
        existing = await client.get(ref(manifest))
    except NotFound:
        return
    _check_ours(existing, created)
    uid, where = metadata(existing)["uid"], ref(existing)
    await client.delete(where, uid=uid, grace_period=_LEFTOVER_GRACE)
    created.in_the_way += (where,)
    await wait_until_gone(client, where, uid)
    created.in_the_way = without(where, created.in_the_way)


def _same_user(existing: Manifest, wanted: Manifest, created: Created) -> bool:
    """Whether another server of this hub made *existing* for the same user."""
    labels: Mapping[str, str] = metadata(existing).get("labels") or {}
    theirs, ours = (metadata(m).get("annotations") or {} for m in (existing, wanted))
    return (
        KEY_LABEL in labels
        and labels.get(HUB_LABEL, "") == created.hub_id
        and theirs.get(USERNAME) == ours.get(USERNAME)
    )


def _check_ours(existing: Manifest, created: Created) -> None:
    if not created.owns(existing):
        hub = f", {HUB_LABEL}={created.hub_id}" if created.hub_id else ""
        raise ConfigError(
            f"{ref(existing)} exists and is not this server's: its labels are not "
            f"{KEY_LABEL}={created.key}{hub}. Rename it, remove it, or give this hub another "
            "`hub_id` or `key_template`"
        )


async def wait_until_gone(client: ClusterClient, where: Ref, uid: str) -> None:
    """Return when no object with *uid* is at *where*. Bound it with ``asyncio.timeout``."""
    pause = _PAUSE
    while True:
        try:
            if metadata(await client.get(where))["uid"] != uid:
                return
        except NotFound:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def remove_data(client: ClusterClient, where: Ref, hub_id: str) -> bool:
    """Delete the user's object at *where*; say whether there was one to delete.

    Only what is marked as such and as this hub's: the name may be somebody else's meanwhile.
    """
    try:
        existing = await client.get(where)
    except NotFound:
        return False
    labels: Mapping[str, str] = metadata(existing).get("labels") or {}
    ours = KEY_LABEL in labels and labels.get(HUB_LABEL, "") == hub_id
    if not ours or lifetime(existing) != "user":
        return False
    return await client.delete(where, uid=str(metadata(existing)["uid"]))


async def remove(client: ClusterClient, created: Created) -> None:
    """Delete what ``create_all`` made, and nothing else. The Pod may still be ending afterwards.

    One request for the Pod, one for the Secret, two for each object that nothing owns (it is
    looked at first). Already gone is fine.
    """
    named = [(created.where(kind), uid) for kind, uid in created.uids.items()]
    unowned = [(where, None) for where in created.unowned]
    await _each(_remove(client, where, uid, created) for where, uid in [*named, *unowned])


async def remove_found(client: ClusterClient, created: Created) -> None:
    """Delete what a start that nobody remembers has made under the names of *created*.

    Its Secret names the objects that nothing owns.
    """
    try:
        secret = await client.get(created.where("Secret"))
    except NotFound:
        secret = {}
    if secret and created.owns(secret):
        created.unowned = unowned_of(secret)
    await remove(client, created)


async def _remove(client: ClusterClient, where: Ref, uid: str | None, created: Created) -> None:
    try:
        if uid is None:
            existing = await client.get(where, even_if_unavailable=True)
            if not created.owns(existing):
                return
            uid = str(metadata(existing)["uid"])
        await client.delete(where, uid=uid)
    except (NotFound, Conflict):
        return  # gone, or another object has taken the name
