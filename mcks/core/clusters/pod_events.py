"""PodEvents: what happens to Pods, told to all who follow some of them by one watch of a namespace.

A watch for each Pod would be a connection for each progress page. What an event means
(`mcks.core.pods.events`) does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from itertools import chain

from mcks.core.api.client import ClusterClient
from mcks.core.objects import Manifest, Ref, Selector, metadata
from mcks.errors import Forbidden, MCKSError

_TRIES = 5
"""Watches to which one follower listens at most, each of which lasts some minutes if it does not
break."""
_WATCH = 300.0
_LINGER = 30.0
"""Seconds that a watch goes on when nobody follows any more: the next start is likely near."""
_OF_PODS = "involvedObject.kind=Pod"
_News = asyncio.Queue[Manifest | MCKSError | None]
"""Events for one follower, then None, or why there are no more."""


class PodEvents:
    """The events of the Pods of one cluster, through *client*. Nothing is asked while nobody
    follows."""

    def __init__(self, client: ClusterClient) -> None:
        self._client = client
        self._feeds: dict[str | None, _Feed] = {}

    async def follow(self, pod: Ref) -> AsyncIterator[Manifest]:
        """Yield the events of *pod*, those that have been first; cancel it when enough is known.

        What is lost with a watch that breaks is told by the next one. It ends without the right to
        see events, and after some watches.
        """
        for watched in range(1, _TRIES + 1):
            try:
                async with contextlib.aclosing(self._once(pod)) as events:
                    async for event in events:
                        yield event
            except Forbidden:
                return
            except (MCKSError, ConnectionError):
                pass  # the next one may be answered
            await asyncio.sleep(self._client.deadlines.between_watches.after(watched))

    async def stop(self) -> None:
        """End the watches."""
        for feed in [*self._feeds.values()]:
            await feed.stop()

    async def _once(self, pod: Ref) -> AsyncGenerator[Manifest, None]:
        """Yield what has been and what comes, until the watch ends."""
        feed = self._feeds.get(pod.namespace)
        if feed is None:
            feed = self._feeds[pod.namespace] = _Feed(self._client, pod.namespace, self._forget)
        with feed.news_of(pod) as news:
            past = await feed.past(pod)
            known = {_version(event) for event in past}
            for event in past:
                yield event
            while (latest := await news.get()) is not None:
                if isinstance(latest, MCKSError):
                    raise latest.with_traceback(None)  # one for many: it would only grow
                if _version(latest) not in known:
                    yield latest

    def _forget(self, feed: _Feed) -> None:
        self._feeds = {where: one for where, one in self._feeds.items() if one is not feed}


class _Feed:
    """One watch of the events of all Pods in *namespace*, from the first follower on. *over* is
    called when it does not tell any more; then there is another one for those who go on."""

    def __init__(
        self, client: ClusterClient, namespace: str | None, over: Callable[[_Feed], None]
    ) -> None:
        self._client, self._namespace, self._over = client, namespace, over
        self._followers: dict[str, set[_News]] = {}
        self._opening = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None

    @contextlib.contextmanager
    def news_of(self, pod: Ref) -> Iterator[_News]:
        """Give what the watch tells of *pod* meanwhile."""
        news: _News = asyncio.Queue()
        self._followers.setdefault(pod.name, set()).add(news)
        if self._idle is not None:
            self._idle.cancel()
        try:
            yield news
        finally:
            self._followers[pod.name].discard(news)
            if not self._followers[pod.name]:
                del self._followers[pod.name]
            if not self._followers:
                self._idle = asyncio.get_running_loop().call_later(_LINGER, self._end)

    async def past(self, pod: Ref) -> Sequence[Manifest]:
        """Read the events that *pod* has had; the first to ask has the watch begin there."""
        selection = self._selector(f"{_OF_PODS},involvedObject.name={pod.name}")
        async with self._opening:
            if self._watch is None:
                past, version = await self._client.list(selection)
                self._watch = asyncio.create_task(self._follow(version))
                return past
        past, _ = await self._client.list(selection)
        return past

    async def stop(self) -> None:
        """End the watch, and tell who follows."""
        self._end()
        if self._watch is not None:
            await asyncio.gather(self._watch, return_exceptions=True)

    def _selector(self, fields: str) -> Selector:
        return Selector("v1", "Event", self._namespace, field_selector=fields)

    async def _follow(self, version: str) -> None:
        watch = self._client.watch(self._selector(_OF_PODS), version, timeout=_WATCH)
        why: MCKSError | None = None
        try:
            async with contextlib.aclosing(watch) as events:
                async for event in events:
                    if event.type in ("ADDED", "MODIFIED"):
                        self._tell(event.object)
        except MCKSError as exc:
            why = exc
        except ConnectionError:
            pass  # as if it had come to its end
        finally:
            self._leave(why)

    def _tell(self, event: Manifest) -> None:
        for news in self._followers.get((event.get("involvedObject") or {}).get("name", ""), ()):
            news.put_nowait(event)

    def _end(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._leave()

    def _leave(self, why: MCKSError | None = None) -> None:
        self._over(self)
        if self._idle is not None:
            self._idle.cancel()
        for news in chain.from_iterable(self._followers.values()):
            news.put_nowait(why)


def _version(event: Manifest) -> tuple[object, object]:
    meta = metadata(event)
    return meta.get("name"), meta.get("resourceVersion")
