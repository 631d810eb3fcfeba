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

from mcks.core.client import ClusterClient
from mcks.core.objects import Manifest, Ref, Selection, metadata
from mcks.errors import APIError, Gone, MCKSError

T = TypeVar("T")
Place = tuple[str | None, str]
"""Namespace and name."""
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 30.0
_REMEMBERED = 300
"""Objects that are remembered after their end."""


class Reflector:
    """Holds the objects of *selection* (one kind) as the watch reports them.

    It heals itself: whatever goes wrong, it lists and watches again after a growing pause with
    jitter, and meanwhile keeps what it knew. ``synced`` is set while its copy is complete.
    """

    def __init__(self, client: ClusterClient, selection: Selection, *, log: logging.Logger) -> None:
        self._client = client
        self._selection = selection
        self._log = log
        self._objects: dict[Place, Manifest] = {}
        self._gone: OrderedDict[str, Manifest] = OrderedDict()
        self._learned: dict[Place, float] = {}
        self._changed: dict[Place, set[asyncio.Event]] = {}
        self._version = ""
        self._task: asyncio.Task[None] | None = None
        self.synced = asyncio.Event()
        self.last_contact = 0.0
        """Monotonic time of the last word from the API server; 0 before the first."""

    def start(self) -> None:
        """Begin to list and watch, once."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"reflect {self._selection.kind}")

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
        self._objects[place] = manifest
        self._learned[place] = time.monotonic()

    async def wait_for(self, where: Ref, seen: Callable[[Manifest | None], T | None]) -> T:
        """Return the first result of *seen* that is not None; asked anew at each change of *where*.

        It waits for a complete copy first. Bound it with ``asyncio.timeout``.
        """
        changed, place = asyncio.Event(), (where.namespace, where.name)
        self._changed.setdefault(place, set()).add(changed)
        try:
            await self.synced.wait()
            while (result := seen(self._objects.get(place))) is None:
                await changed.wait()
                changed.clear()
            return result
        finally:
            self._changed[place].discard(changed)
            if not self._changed[place]:
                del self._changed[place]

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                if not self._version:
                    self._version = await self._list()
                await self._watch()
            except Gone:
                self._version = ""
            except (MCKSError, ConnectionError) as exc:
                self._warn(exc)
                if isinstance(exc, APIError):
                    self._version = ""
            except Exception:  # a reflector that gave up would freeze every poll for good
                self._version = ""
                self._log.exception("The watch of %ss failed", self._selection.kind)
            if time.monotonic() - began > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _warn(self, exc: Exception) -> None:
        self._log.warning("Lost the watch of %ss, will try again: %s", self._selection.kind, exc)

    async def _list(self) -> str:
        began = time.monotonic()
        items, version = await self._client.list(self._selection)
        self.last_contact = time.monotonic()
        before = self._objects
        # a list may be older than a create whose answer came while it was under way
        newer = {p: self._objects[p] for p, when in self._learned.items() if when >= began}
        self._objects = newer | {_place(item): _lean(item) for item in items}
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
        async for event in self._client.watch(self._selection, self._version):
            self.last_contact = time.monotonic()
            meta = metadata(event.object)
            self._version = str(meta.get("resourceVersion", self._version))
            if event.type == "BOOKMARK":
                continue
            place = _place(event.object)
            self._learned.pop(place, None)
            if event.type == "DELETED":
                self._forget(place, _lean(event.object))
            else:
                self._objects[place] = _lean(event.object)
            self._tell(place)

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


def _lean(manifest: Manifest) -> Manifest:
    """Drop what nobody reads and what makes up half of an object."""
    metadata(manifest).pop("managedFields", None)
    return manifest
