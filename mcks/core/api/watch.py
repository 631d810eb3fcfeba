"""Reflector: a local, current copy of some objects of one cluster, kept by one list and one watch.

What the objects mean does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from mcks import metrics
from mcks.core.api.client import ClusterClient
from mcks.core.api.no_answer import NotKubernetes
from mcks.core.objects import Manifest, Ref, Selector, WatchEvent, metadata
from mcks.errors import APIError, Gone, MCKSError, TooManyRequests, Unauthorized

T = TypeVar("T")
Place = tuple[str | None, str]
"""Namespace and name."""
_FRUITLESS = 3
"""Watches in a row without a word after which the copy is made anew: something in between may let
requests through and no streams."""
_TELLS = 1.0
"""Seconds between two notes of the last word for the metrics: a burst of events is noted once."""
_REMEMBERED = 300
"""Objects that are remembered after their end."""


def _without_managers(manifest: Manifest) -> Manifest:
    """Drop what nobody reads, and what makes up half of an object."""
    metadata(manifest).pop("managedFields", None)
    return manifest


class Reflector:
    """Holds the objects of *selector* (one kind) as the watch reports them.

    It heals itself: whatever goes wrong, it watches again after a growing pause with jitter, from
    where it was if it can, and meanwhile keeps what it knew. ``synced`` is set once its copy is
    complete. *lean* gives what is kept of an object.
    """

    def __init__(
        self,
        client: ClusterClient,
        selector: Selector,
        *,
        log: logging.Logger,
        lean: Callable[[Manifest], Manifest] = _without_managers,
    ) -> None:
        self._client = client
        self._lean = lean
        self._selector = selector
        self._log = log
        self._objects: dict[Place, Manifest] = {}
        self._gone: OrderedDict[str, Manifest] = OrderedDict()
        self._learned: dict[Place, float] = {}
        self._changed: dict[Place, set[asyncio.Event]] = {}
        self._version = ""
        self._server = client.server
        self._told_at = float("-inf")
        self._told_contact = metrics.LAST_CONTACT.labels(client.cluster)
        self._fruitless = 0
        self._lost_at: float | None = None
        self._patience: asyncio.Timeout | None = None
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.synced = asyncio.Event()
        self.last_contact = 0.0
        """Monotonic time of the last word from the API server; 0 before the first."""

    def start(self) -> None:
        """Begin to list and watch, once."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"reflect {self._selector.kind}")

    async def stop(self) -> None:
        """End the watch."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def get(self, where: Ref) -> Manifest | None:
        """Return the object as last seen, None if there is none."""
        return self._objects.get((where.namespace, where.name))

    def last(self, uid: str) -> Manifest | None:
        """Return an object that is gone as it was at its end, None if that was long ago."""
        return self._gone.get(uid)

    def values(self) -> list[Manifest]:
        """Return all objects as last seen."""
        return list(self._objects.values())

    def learn(self, manifest: Manifest) -> None:
        """Take in the answer to a create, which may be ahead of the watch."""
        meta, place = metadata(manifest), _place(manifest)
        known = self._objects.get(place)
        if meta.get("uid") in self._gone or (known and metadata(known).get("uid") == meta["uid"]):
            return
        self._objects[place] = self._lean(manifest)
        self._learned[place] = time.monotonic()
        self._tell(place)

    async def wait_for(self, where: Ref, seen: Callable[[Manifest | None], T | None]) -> T:
        """Return the first result of *seen* that is not None; asked anew at each change of *where*.

        It waits for a complete copy first. Bound it with ``asyncio.timeout``. While somebody
        waits, a silent watch is not believed for long.
        """
        changed, place = asyncio.Event(), (where.namespace, where.name)
        self._changed.setdefault(place, set()).add(changed)
        self._wanted.set()
        try:
            await self.synced.wait()
            while (result := seen(self._objects.get(place))) is None:
                try:
                    async with asyncio.timeout(self._client.deadlines.doubt):
                        await changed.wait()
                except TimeoutError:
                    self._doubt()
                changed.clear()
            return result
        finally:
            self._changed[place].discard(changed)
            if not self._changed[place]:
                del self._changed[place]

    async def _run(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            asked = await self._follow_once()
            deadlines = self._client.deadlines
            steady = self.last_contact >= began and time.monotonic() - began >= deadlines.steady
            failures = 1 if steady else failures + 1
            pause = deadlines.between_watches.after(failures)
            await self._sleep(max(pause * random.uniform(0.5, 1), asked))  # noqa: S311

    async def _follow_once(self) -> float:
        """List if need be, then watch to its end. Return how long the server asked to wait."""
        try:
            if self._client.server != self._server:
                # What is a version there means nothing here.
                self._server, self._version = self._client.server, ""
            if not self._version or self._fruitless >= _FRUITLESS:
                self._version = await self._list()
            self._fruitless += 1
            await self._watch()
        except Gone:
            self._version = ""
        except (MCKSError, ConnectionError) as exc:
            self._lost(exc)
            if not _may_resume(exc):
                self._version = ""
            longest = self._client.deadlines.between_watches.longest
            return min(getattr(exc, "retry_after", None) or 0.0, longest)
        except Exception:  # a reflector that gave up would freeze every poll for good
            self._version = ""
            self._log.exception("The watch of %ss failed", self._selector.kind)
        return 0.0

    async def _sleep(self, seconds: float) -> None:
        """Pause, but not when somebody has just talked to the cluster and wants to see more."""
        self._wanted.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wanted.wait()

    def _lost(self, exc: Exception) -> None:
        self._lost_at = self._lost_at or time.monotonic()
        self._log.warning("Lost the watch of %ss, will try again: %s", self._selector.kind, exc)

    def _opened(self, patience: asyncio.Timeout) -> None:
        self._patience = patience
        self._contact()
        if self._lost_at is not None:
            away, self._lost_at = time.monotonic() - self._lost_at, None
            kind, cluster = self._selector.kind, self._client.cluster
            self._log.info("cluster %r: watching %ss again after %.0f s", cluster, kind, away)

    def _heard(self) -> None:
        """Note that the stream works: it told something, or ended as it should."""
        self._fruitless = 0
        self._contact()

    def _contact(self) -> None:
        self.last_contact = time.monotonic()
        if self.last_contact - self._told_at >= _TELLS:
            self._told_at = self.last_contact
            self._told_contact.set_to_current_time()

    def _doubt(self) -> None:
        """End a watch that was silent for long: the connection may be dead on one side."""
        silence = time.monotonic() - self.last_contact
        if self._patience is not None and silence >= self._client.deadlines.doubt:
            self._patience.reschedule(asyncio.get_running_loop().time())
            self._patience = None

    async def _list(self) -> str:
        began = time.monotonic()
        items, version = await self._client.list(
            self._selector, even_if_unavailable=True, kept=self._lean
        )
        self._contact()
        self._fruitless = 0
        before = self._objects
        # a list may be older than a create whose answer came while it was under way
        newer = {p: self._objects[p] for p, when in self._learned.items() if when >= began}
        self._objects = newer | {_place(item): item for item in items}
        self._learned.clear()
        self.synced.set()
        present = {metadata(item)["uid"] for item in self._objects.values()}
        for ended in before.values():
            if metadata(ended)["uid"] not in present:
                self._remember(ended)
        for place in {*before, *self._objects}:
            self._tell(place)
        return version

    async def _watch(self) -> None:
        """Follow the cluster from where the copy is; each event moves that on."""
        try:
            async with asyncio.timeout(None) as patience:
                watch = self._client.watch(
                    self._selector, self._version, opened=lambda: self._opened(patience)
                )
                async with contextlib.aclosing(watch) as events:
                    async for event in events:
                        self._heard()
                        self._take(event)
            self._heard()
        except TimeoutError:
            return  # in doubt: a new one tells what this one did not
        finally:
            self._patience = None

    def _take(self, event: WatchEvent) -> None:
        meta = metadata(event.object)
        if event.type != "BOOKMARK":
            place = _place(event.object)
            was_learned = self._learned.pop(place, None) is not None
            if (
                event.type == "ADDED"
                and was_learned
                and _is_same(self._objects.get(place), event.object)
            ):
                pass  # the answer to its create has told all of it
            elif event.type == "DELETED":
                self._forget(place, self._lean(event.object))
                self._tell(place)
            else:
                self._objects[place] = self._lean(event.object)
                self._tell(place)
        self._version = str(meta.get("resourceVersion", self._version))

    def _forget(self, place: Place, ended: Manifest) -> None:
        """Drop the object that has ended, unless a younger one has taken its place already."""
        self._remember(ended)
        known = self._objects.get(place)
        if known is not None and metadata(known)["uid"] == metadata(ended)["uid"]:
            del self._objects[place]
            self._learned.pop(place, None)

    def _remember(self, ended: Manifest) -> None:
        self._gone[metadata(ended)["uid"]] = ended
        while len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)

    def _tell(self, place: Place) -> None:
        for changed in self._changed.get(place, ()):
            changed.set()


def _place(manifest: Manifest) -> Place:
    meta = metadata(manifest)
    return meta.get("namespace"), meta["name"]


def _is_same(known: Manifest | None, other: Manifest) -> bool:
    """Whether *known* is *other* as it is now."""
    if known is None:
        return False
    ours, theirs = metadata(known), metadata(other)
    return all(ours.get(key) == theirs.get(key) for key in ("uid", "resourceVersion"))


def _may_resume(exc: Exception) -> bool:
    """Whether a watch that ended so can go on where it was, without a new list."""
    if isinstance(exc, APIError):
        return isinstance(exc, TooManyRequests | Unauthorized) or exc.status in (502, 503, 504)
    return not isinstance(exc, NotKubernetes)
