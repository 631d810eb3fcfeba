"""ClusterClient: few verbs on plain dicts, against one cluster's API server.

Which objects a server consists of, and in which order they come and go, does not belong here;
nor how a request is sent (`mcks.core.api.transport`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp

from mcks.backends.collector import paused
from mcks.core.api.create import WRITE_QUERY, create
from mcks.core.api.deadlines import Deadlines
from mcks.core.api.discovery import Discovery
from mcks.core.api.no_answer import NotKubernetes
from mcks.core.api.request import (
    DELETE,
    GET,
    LIST,
    LOGS,
    PATCHES,
    RAW,
    REPLACE,
    REVIEW,
    WATCH,
    Answer,
    Request,
)
from mcks.core.api.status import Asked, server_time
from mcks.core.api.stream import events
from mcks.core.api.transport import Transport
from mcks.core.api.turns import Turns
from mcks.core.objects import Manifest, Ref, Selector, WatchEvent, metadata
from mcks.errors import Conflict, Gone, NotFound

_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

PAGE = 250
"""Objects in one answer to a list: Pods of that number are understood in some milliseconds."""


def _all_of(manifest: Manifest) -> Manifest:
    return manifest


class ClusterClient:
    """Reads and writes the objects of one cluster, through *transport*.

    Every call has a deadline. Raises `APIError` (by status) when Kubernetes says no and
    `Unreachable` when no answer comes; SDK and aiohttp errors never get out. Close it with `close`.
    """

    def __init__(self, transport: Transport, turns: Turns | None = None) -> None:
        """*turns* are shared by all that read large answers in this event loop."""
        self.cluster = transport.cluster
        self._turns = turns or Turns()
        self._transport = transport
        self._kinds = Discovery(transport)
        self._former: list[tuple[Transport, Discovery]] = []

    def connect_anew(self, transport: Transport) -> None:
        """Send all from now on through *transport*; what is under way ends as it began, before
        `close_former`."""
        self._former.append((self._transport, self._kinds))
        self._transport = transport
        self._kinds = Discovery(transport)

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, retries included."""
        transports = [self._transport, *(transport for transport, _ in self._former)]
        return sum(transport.requests for transport in transports)

    @property
    def deadlines(self) -> Deadlines:
        """How long calls and watches may take."""
        return self._transport.deadlines

    @property
    def server(self) -> str:
        """Host (and port) of the API server, for messages."""
        return self._transport.server

    async def namespaced(self, api_version: str, kind: str) -> bool:
        """Say whether objects of *kind* live in namespaces. Raises `NotFound` if unknown here."""
        return (await self._kinds.find(api_version, kind)).namespaced

    async def get(self, ref: Ref, *, even_if_unavailable: bool = False) -> Manifest:
        """Read one object; *even_if_unavailable*: also while the cluster is left alone.

        Raises `NotFound`.
        """
        resource = await self._kinds.find(ref.api_version, ref.kind)
        path = resource.path(ref.namespace, ref.name)
        asked = Asked(self.cluster, "get", ref.kind, ref.name, ref.namespace)
        request = Request(GET, path, asked, even_if_unavailable=even_if_unavailable)
        return (await self._transport.send(request)).json()

    async def list(
        self,
        selector: Selector,
        *,
        limit: int = PAGE,
        resource_version: str | None = None,
        metadata_only: bool = False,
        even_if_unavailable: bool = False,
        kept: Callable[[Manifest], Manifest] = _all_of,
    ) -> tuple[Sequence[Manifest], str]:
        """Read all objects of *selector*, *limit* per request, and the version to watch from.

        *kept* gives what is kept of each. One answer is understood in a turn of the event loop.

        *resource_version* ``"0"`` allows the server to answer from its cache, in one piece.
        With *metadata_only* the server leaves out all but the metadata (and a Secret's content
        never comes near this process). A list that grows too old while it is read is begun anew
        once, then in one piece.
        """
        query = {"limit": str(limit)}
        if resource_version is not None:
            query = {"resourceVersion": resource_version}
        try:
            return await self._list(selector, query, metadata_only, even_if_unavailable, kept)
        except Gone:
            return await self._list(selector, {}, metadata_only, even_if_unavailable, kept)

    async def create(self, manifest: Manifest, *, dry_run: bool = False) -> Answer:
        """Create the object *manifest* in its own namespace; an unknown field is an error.

        The answer is the object as the server has it. Raises `Conflict` if one of that name exists.

        A request whose answer is lost is not repeated blindly: see `mcks.core.api.create`.
        """
        resource = await self._kinds.find(manifest["apiVersion"], manifest["kind"])
        return await create(self._transport, resource, manifest, dry_run=dry_run)

    async def patch(
        self,
        ref: Ref,
        body: Any,
        *,
        type: Literal["merge", "strategic", "json"] = "merge",  # noqa: A002 - Kubernetes' word
    ) -> Answer:
        """Change one object. Raises `NotFound`, `Conflict` (*body* holds a stale version)."""
        resource = await self._kinds.find(ref.api_version, ref.kind)
        answer = await self._transport.send(
            Request(
                PATCHES[type],
                f"{resource.path(ref.namespace, ref.name)}?{WRITE_QUERY}",
                Asked(self.cluster, "patch", ref.kind, ref.name, ref.namespace),
                body=body,
            )
        )
        return answer.check()

    async def replace(self, manifest: Manifest) -> Answer:
        """Put *manifest* in the place of the object of its name. Raises `NotFound`, `Conflict`."""
        resource = await self._kinds.find(manifest["apiVersion"], manifest["kind"])
        meta = metadata(manifest)
        answer = await self._transport.send(
            Request(
                REPLACE,
                f"{resource.path(meta.get('namespace'), meta['name'])}?{WRITE_QUERY}",
                Asked(self.cluster, "replace", resource.kind, meta["name"], meta.get("namespace")),
                body=manifest,
            )
        )
        return answer.check()

    async def delete(
        self,
        ref: Ref,
        *,
        uid: str | None = None,
        grace_period: int | None = None,
        propagation: Literal["Background", "Foreground", "Orphan"] | None = None,
    ) -> bool:
        """Delete one object; say whether it was there. Already gone is fine.

        With *uid* only that very object: another one of its name counts as gone. *grace_period*
        is in seconds. Deletion of a Pod goes on after the answer. It is tried even while the
        cluster is left alone: what is not deleted now may be forgotten.
        """
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        if propagation is not None:
            options["propagationPolicy"] = propagation
        try:
            resource = await self._kinds.find(ref.api_version, ref.kind)
            answer = await self._transport.send(
                Request(
                    DELETE,
                    resource.path(ref.namespace, ref.name),
                    Asked(self.cluster, "delete", ref.kind, ref.name, ref.namespace),
                    body=options,
                    even_if_unavailable=True,
                )
            )
            answer.check()  # what is no answer of Kubernetes has deleted nothing
        except NotFound:
            return False
        except Conflict:
            if uid is None:
                raise
            return False
        return True

    async def watch(
        self,
        selector: Selector,
        since: str,
        *,
        timeout: float | None = None,
        opened: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[WatchEvent, None]:
        """Follow changes of *selector* after the resource version *since*, bookmarks included.

        Ends when the server ends it, after *timeout* seconds (``deadlines.watch``) at the latest:
        open it again from the last version seen. *opened* is called once the server has accepted
        it. Raises `Gone` if *since* is too old (list again), `Unreachable` if the stream breaks,
        or stays silent until ``deadlines.overdue`` seconds after its time.
        """
        timeout = self.deadlines.watch if timeout is None else timeout
        resource = await self._kinds.find(selector.api_version, selector.kind)
        asked = Asked(self.cluster, "watch", selector.kind, "", selector.namespace)
        query = _selectors(selector) | {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": since,
            "timeoutSeconds": str(int(timeout)),
        }
        target = _target(resource.path(selector.namespace), query)
        request = Request(WATCH, target, asked, even_if_unavailable=True)
        deadlines = aiohttp.ClientTimeout(
            sock_connect=self.deadlines.connect, sock_read=timeout + self.deadlines.overdue
        )
        response = await self._transport.open(request, deadlines)
        opened()
        async for event in events(asked, response):
            yield event

    async def raw_get(self, path: str) -> bytes:
        """Read any *path* of the API server, such as ``/version`` or ``/readyz``."""
        asked = Asked(self.cluster, f"read {path}")
        request = Request(RAW, path, asked, accept="*/*")
        return (await self._transport.send(request)).body

    async def clock(self) -> float | None:
        """Read the API server's clock, in Unix seconds; None if it does not tell."""
        request = Request(RAW, "/version", Asked(self.cluster, "read /version"), accept="*/*")
        return server_time((await self._transport.send(request)).headers)

    async def logs(self, ref: Ref, container: str, *, tail_lines: int = 20) -> str:
        """Read the last lines that *container* of the Pod *ref* wrote."""
        resource = await self._kinds.find(ref.api_version, ref.kind)
        query = {"container": container, "tailLines": str(tail_lines), "limitBytes": "65536"}
        request = Request(
            LOGS,
            _target(resource.path(ref.namespace, ref.name) + "/log", query),
            Asked(self.cluster, "read the log of", ref.kind, ref.name, ref.namespace),
            accept="*/*",
        )
        return (await self._transport.send(request)).body.decode("utf-8", "replace")

    async def review(
        self,
        verb: str,
        *,
        group: str = "",
        resource: str,
        subresource: str = "",
        namespace: str | None = None,
    ) -> bool:
        """Ask whether the hub may *verb* the *resource* (plural): a SelfSubjectAccessReview."""
        attributes = {"verb": verb, "group": group, "resource": resource}
        attributes |= {"subresource": subresource} if subresource else {}
        attributes |= {"namespace": namespace} if namespace else {}
        answer = await self._ask(
            "authorization.k8s.io/v1",
            "SelfSubjectAccessReview",
            {"spec": {"resourceAttributes": attributes}},
        )
        return bool((answer.get("status") or {}).get("allowed"))

    async def whoami(self) -> str:
        """Ask as whom the API server sees the hub: a SelfSubjectReview (Kubernetes 1.28)."""
        answer = await self._ask("authentication.k8s.io/v1", "SelfSubjectReview", {})
        user = (answer.get("status") or {}).get("userInfo") or {}
        return str(user.get("username") or "")

    async def close(self) -> None:
        """Close all connections; open watches end."""
        await self.close_former()
        await self._kinds.close()
        await self._transport.close()

    async def close_former(self) -> None:
        """Close what was in use before `connect_anew`; what is still under way there ends."""
        former, self._former = self._former, []
        for transport, kinds in former:
            await kinds.close()
            await transport.close()

    async def _ask(self, api_version: str, kind: str, body: dict[str, Any]) -> Manifest:
        resource = await self._kinds.find(api_version, kind)
        request = Request(
            REVIEW,
            resource.path(),
            Asked(self.cluster, "ask for", kind, "", None),
            body={"apiVersion": api_version, "kind": kind} | body,
        )
        return (await self._transport.send(request)).json()

    async def _list(
        self,
        selector: Selector,
        query: dict[str, str],
        metadata_only: bool,
        even_if_unavailable: bool,
        kept: Callable[[Manifest], Manifest],
    ) -> tuple[Sequence[Manifest], str]:
        resource = await self._kinds.find(selector.api_version, selector.kind)
        asked = Asked(self.cluster, "list", selector.kind, "", selector.namespace)
        query = _selectors(selector) | query
        items = []
        while True:
            request = Request(
                LIST,
                _target(resource.path(selector.namespace), query),
                asked,
                accept=_METADATA_ONLY if metadata_only else "application/json",
                even_if_unavailable=even_if_unavailable,
            )
            answer = await self._transport.send(request)
            await self._turns.next()
            some, version, following = _page(answer, selector, kept)
            del answer  # the next page may be long in coming, and this one is large
            items += some
            if not following:
                return items, version
            query = query | {"continue": following}


def _page(
    answer: Answer, selector: Selector, kept: Callable[[Manifest], Manifest]
) -> tuple[list[Manifest], str, str]:
    """Return what is *kept* of the objects in one *answer* to a list, its version, and what leads
    to the next one. The whole of it, ten times as large, ends here. Raises `NotKubernetes`."""
    kind = {"apiVersion": selector.api_version, "kind": selector.kind}
    with paused():
        page = answer.json()
        version = str(metadata(page).get("resourceVersion") or "")
        items = page.get("items") or []
        if not version or not isinstance(items, list):
            # taken for an empty list, it would be the end of all servers
            raise NotKubernetes(
                f"{answer.asked}: the answer is no list (from a proxy or load balancer?)"
            )
        some, following = [kept(item | kind) for item in items], metadata(page).get("continue")
        del page, items  # before it may look again
    return some, version, following or ""


def _target(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _selectors(selector: Selector) -> dict[str, str]:
    query = {"labelSelector": selector.label_selector, "fieldSelector": selector.field_selector}
    return {key: value for key, value in query.items() if value}
