"""Creating one object for sure: what to do when the answer to a POST is lost.

A request whose answer is lost may have been carried out all the same, so it is not repeated
blindly. The object of that name is read: what is there is ours if it carries the labels and
owners that were sent, is not being deleted, and is no older, by the server's own clock, than the
call. If nothing is there the request is sent once more. What is there but not ours is a
`Conflict`, as if it had been there before: the caller knows what to do with leftovers.

Orders of creation and leftovers (`mcks.core.servers.creation`) do not belong here.
"""

from __future__ import annotations

import time
from datetime import datetime

from mcks.core.api.kinds import Resource
from mcks.core.api.status import Asked, server_time
from mcks.core.api.transport import Answer, Garbled, MaybeDone, Request, Transport
from mcks.core.objects import Manifest, metadata
from mcks.errors import APIError, Conflict, NotFound, ServerError, Unreachable

WRITE_QUERY = {"fieldManager": "mcks", "fieldValidation": "Strict"}
"""For every write: who writes, and that an unknown or doubled field is an error."""

_CLOCK_GRAIN = 2.0
"""Seconds: ``creationTimestamp`` and ``Date`` are whole seconds."""


async def create(
    transport: Transport, resource: Resource, manifest: Manifest, *, dry_run: bool = False
) -> Manifest:
    """Create *manifest* in its namespace; give it as the server has it. See `ClusterClient`."""
    # All of it is one attempt: an answer that is lost and then found is no failure of the cluster,
    # and what was begun is brought to its end.
    async with transport.attempt():
        return await _create(transport, resource, manifest, dry_run=dry_run)


async def _create(
    transport: Transport, resource: Resource, manifest: Manifest, *, dry_run: bool
) -> Manifest:
    request = _post(transport, resource, manifest, dry_run=dry_run)
    began = time.monotonic()
    for last in (False, True):
        try:
            return (await transport.send(request)).json()
        except (MaybeDone, Garbled, ServerError) as exc:
            if dry_run or not metadata(manifest).get("name"):
                raise
            found = await _created_after_all(transport, resource, manifest, began, exc)
            if found is not None:
                return found
            if last or not (isinstance(exc, MaybeDone | Garbled) or exc.status == 503):
                raise
        except Conflict as exc:
            if not last:
                raise
            # The first request was carried out late, or somebody else came in between.
            found = await _created_after_all(transport, resource, manifest, began, exc)
            if found is None:
                raise
            return found
    raise AssertionError  # the second round returns or raises


def _post(
    transport: Transport, resource: Resource, manifest: Manifest, *, dry_run: bool
) -> Request:
    meta = metadata(manifest)
    name = meta.get("name") or meta.get("generateName", "")
    namespace = meta.get("namespace")
    return Request(
        "POST",
        resource.path(namespace),
        Asked.about(transport.cluster, "create", resource.kind, name, namespace),
        query=WRITE_QUERY | {"dryRun": "All"} if dry_run else WRITE_QUERY,
        body=manifest,
        repeatable=dry_run,
        judged=False,
        verb="create",
    )


async def _created_after_all(
    transport: Transport,
    resource: Resource,
    manifest: Manifest,
    began: float,
    lost: APIError | Unreachable,
) -> Manifest | None:
    """Find what a POST whose answer was *lost* has made; None if nothing is there."""
    meta = metadata(manifest)
    name, namespace = meta["name"], meta.get("namespace")
    asked = Asked.about(transport.cluster, "create", resource.kind, name, namespace)
    path = resource.path(namespace, name)
    request = Request("GET", path, asked, repeatable=True, judged=False, verb="get")
    try:
        answer = await transport.send(request)
    except NotFound:
        return None
    found = answer.json()
    if _is_ours(found, manifest, answer, time.monotonic() - began):
        return found
    raise Conflict(f"{asked}: it exists already", status=409, reason="AlreadyExists") from lost


def _is_ours(found: Manifest, sent: Manifest, answer: Answer, elapsed: float) -> bool:
    theirs, ours = metadata(found), metadata(sent)
    labels = (theirs.get("labels") or {}).items()
    if theirs.get("deletionTimestamp") or not (ours.get("labels") or {}).items() <= labels:
        return False
    owners = {owner["uid"] for owner in theirs.get("ownerReferences") or []}
    if not {owner["uid"] for owner in ours.get("ownerReferences") or []} <= owners:
        return False
    now = server_time(answer.headers)
    if now is None:
        return False
    created = datetime.fromisoformat(theirs["creationTimestamp"]).timestamp()
    return now - created <= elapsed + _CLOCK_GRAIN
