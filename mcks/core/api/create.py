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
from collections.abc import Awaitable
from datetime import datetime

from mcks.core.api.breaker import Silent
from mcks.core.api.kinds import Resource
from mcks.core.api.no_answer import NotKubernetes, OutcomeUnknown, ServerUnreachable
from mcks.core.api.request import CREATE, CREATE_DRY_RUN, GET, Answer, Request
from mcks.core.api.status import Asked, server_time
from mcks.core.api.transport import Send, Transport
from mcks.core.objects import Manifest, metadata
from mcks.errors import APIError, Conflict, NotFound, ServerError, Unreachable

WRITE_QUERY = "fieldManager=mcks&fieldValidation=Strict"
"""For every write: who writes, and that an unknown or doubled field is an error."""

_CLOCK_GRAIN = 2.0
"""Seconds: ``creationTimestamp`` and ``Date`` are whole seconds."""


def create(
    transport: Transport, resource: Resource, manifest: Manifest, *, dry_run: bool = False
) -> Awaitable[Answer]:
    """Create *manifest* in its namespace; the answer is the object. See `ClusterClient`."""
    # All of it is one attempt: an answer that is lost and then found is no failure of the cluster,
    # and what was begun is brought to its end.
    creation = _Creation(transport.cluster, resource, manifest)
    return transport.attempt(creation.dry_run if dry_run else creation.carry_out)


class _Creation:
    """One object that is made, and looked for when it is not known whether it was."""

    def __init__(self, cluster: str, resource: Resource, manifest: Manifest) -> None:
        meta = metadata(manifest)
        self._name, namespace = meta.get("name"), meta.get("namespace")
        name = self._name or meta.get("generateName", "")
        asked = Asked(cluster, "create", resource.kind, name, namespace)
        target = f"{resource.path(namespace)}?{WRITE_QUERY}"
        self._request = Request(CREATE, target, asked, manifest)
        self._resource, self._manifest = resource, manifest
        self._began = time.monotonic()

    async def dry_run(self, send: Send) -> Answer:
        """Have it judged, and not kept."""
        target = f"{self._request.target}&dryRun=All"
        return (await send(self._request._replace(verb=CREATE_DRY_RUN, target=target))).check()

    async def carry_out(self, send: Send) -> Answer:
        """Create it for sure."""
        for last in (False, True):
            try:
                return (await send(self._request)).check()
            except (OutcomeUnknown, NotKubernetes, ServerError) as exc:
                if not self._name or isinstance(exc.__cause__, Silent):
                    raise  # there is nobody to ask, or the server has just been asked in vain
                found = await self._created_after_all(send, self._name, exc)
                if found is not None:
                    return found
                lost = isinstance(exc, OutcomeUnknown | NotKubernetes) or exc.status == 503
                if last or not lost:
                    raise
            except Conflict as exc:
                if not last or not self._name:
                    raise
                # The first request was carried out late, or somebody else came in between.
                found = await self._created_after_all(send, self._name, exc)
                if found is None:
                    raise
                return found
        raise AssertionError  # the second round returns or raises

    async def _created_after_all(
        self, send: Send, name: str, lost: APIError | Unreachable
    ) -> Answer | None:
        """Find what a POST whose answer was *lost* has made; None if nothing is there."""
        asked = self._request.asked
        try:
            answer = await send(Request(GET, self._resource.path(asked.namespace, name), asked))
        except NotFound:
            return None
        except ServerUnreachable as exc:
            raise lost from exc  # which says that it may be there
        if _is_ours(answer.json(), self._manifest, answer, time.monotonic() - self._began):
            return answer
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
