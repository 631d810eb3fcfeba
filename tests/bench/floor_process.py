"""What the requests of a start cost when bare aiohttp sends them; prints a line of JSON.

``python -m tests.bench.floor_process``, settings as JSON on standard input. One server is started
by mcks, and what that sends is noted. Then the same is sent for others: the same bodies and
headers, through the same connections, in the same order, with nothing around it and nobody who
watches. Bars, and what it is compared with, belong to `bench_floor`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import aiohttp
import pytest
from yarl import URL

from tests.bench import spawn_process
from tests.bench.spawn_process import Figures, Meter

AT_ONCE = 20
MODEL = "floormodel"
"""The server that mcks starts: its name stands for that of each other one."""
_KEPT = {"headers", "allow_redirects"}
_LIMIT = 10
"""Requests under way at a time, as mcks has them."""


class Sent(NamedTuple):
    """One request as it was given to *session*."""

    session: aiohttp.ClientSession
    method: str
    url: str
    options: Mapping[str, Any]
    body: str

    def of(self, name: str, uids: Mapping[str, str]) -> Sent:
        """The same for the server *name*, whose objects have other *uids*."""
        url, body = (_renamed(text, {MODEL: name, **uids}) for text in (self.url, self.body))
        return self._replace(url=url, body=body)

    async def answer(self) -> bytes:
        """Send it, and return the answer's body."""
        data = self.body.encode() if self.body else None
        async with self.session.request(
            self.method, URL(self.url, encoded=True), data=data, middlewares=(), **self.options
        ) as response:
            assert response.status < 300, response.status
            return await response.read()


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text


@contextmanager
def _noting() -> Iterator[list[tuple[Sent, aiohttp.ClientResponse]]]:
    """Note all requests, with their answers, in the order in which they were begun."""
    original, noted = aiohttp.ClientSession._request, []

    async def noting(session: aiohttp.ClientSession, method: str, url: Any, **options: Any) -> Any:
        response = await original(session, method, url, **options)
        kept = {key: said for key, said in options.items() if key in _KEPT}
        body = getattr(options.get("data"), "_value", options.get("data")) or b""
        noted.append((Sent(session, method, str(url), kept, body.decode()), response))
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiohttp.ClientSession, "_request", noting)
        yield noted


class Floor:
    """The requests of one start, by their order: an anchor, three at once, the Pod, the rest."""

    def __init__(self, noted: list[tuple[Sent, aiohttp.ClientResponse]]) -> None:
        starts = [sent for sent, _ in noted if sent.method in ("POST", "PATCH")]
        (question,) = (sent for sent, _ in noted if sent.url.endswith("/api"))
        self._anchor, *self._owned, self._pod, self._last = starts
        self._question = question
        assert [len(self._owned), self._last.method] == [3, "PATCH"]
        self._anchor_uid = json.loads(self._owned[0].body)["metadata"]["ownerReferences"][0]["uid"]
        self._pod_uid = json.loads(self._last.body)["metadata"]["ownerReferences"][0]["uid"]
        self._turns = asyncio.Semaphore(_LIMIT)

    async def start(self, name: str) -> None:
        """Send what makes the server *name*."""
        uids: dict[str, str] = {}
        uids[self._anchor_uid] = _uid(await self._in_turn(self._anchor.of(name, uids)))
        await asyncio.gather(*(self._in_turn(owned.of(name, uids)) for owned in self._owned))
        uids[self._pod_uid] = _uid(await self._in_turn(self._pod.of(name, uids)))
        await self._in_turn(self._last.of(name, uids))
        await self._question.of(name, uids).answer()

    async def stop(self, name: str) -> None:
        """Delete its Pod, and with it the rest."""
        pod = self._pod.of(name, {})
        where = f"{pod.url.partition('?')[0]}/{json.loads(pod.body)['metadata']['name']}"
        await self._in_turn(pod._replace(method="DELETE", url=where, body=""))

    async def _in_turn(self, sent: Sent) -> bytes:
        async with self._turns:
            return await sent.answer()


def _uid(answer: bytes) -> str:
    uid: str = json.loads(answer)["metadata"]["uid"]
    return uid


async def _measure(given: dict[str, Any]) -> Figures:
    figures: Figures = {}
    cls = spawn_process._imported("mcks", "first", {})
    model = spawn_process.make(cls, spawn_process.configuration("mcks", given), MODEL)
    with _noting() as noted:
        await model.start()
    floor, meter = Floor(noted), Meter(given["api_server"])
    names = [f"floor{n}" for n in range(given["servers"])]
    half = len(names) // 2
    with meter.taking(figures, "spawn", half) as walls:
        for name in names[:half]:
            await spawn_process._timed(floor.start(name), walls)
    with meter.taking(figures, "spawn 20", len(names) - half) as walls:
        work = (spawn_process._timed(floor.start(name), walls) for name in names[half:])
        await asyncio.gather(*work)
    await asyncio.gather(model.stop(), *(floor.stop(name) for name in names))
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    return figures


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(json.load(sys.stdin)))))
