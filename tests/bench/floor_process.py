"""What the requests of a start cost with nothing around them; prints a line of JSON.

``python -m tests.bench.floor_process``, settings as JSON on standard input. One server is started
by mcks, and what that sends is noted. Then the same is sent for others: the same bodies and
headers, over the same connections, in the same order, by a session of aiohttp and then without it.
Bars, and what it is compared with, belong to `bench_floor`.
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

from mcks.backends.wire import Response, Wire
from tests.bench import spawn_process
from tests.bench.spawn_process import Figures, Meter

MODEL = "floormodel"
"""The server that mcks starts: its name stands for that of each other one."""
_LIMIT = 4
"""Requests under way at a time, as mcks has them at first."""
_UNBOUNDED = aiohttp.ClientTimeout(total=None)


class Sent(NamedTuple):
    """One request as it was given to *wire*."""

    wire: Wire
    method: str
    target: str
    headers: Mapping[str, str]
    body: str

    def of(self, name: str, uids: Mapping[str, str]) -> Sent:
        """The same for the server *name*, whose objects have other *uids*."""
        names = {MODEL: name, **uids}
        return self._replace(target=_renamed(self.target, names), body=_renamed(self.body, names))

    async def answer(self, by: str) -> bytes:
        """Send it by its session or over its connections alone, and return the answer's body."""
        body = self.body.encode() if self.body else None
        rest = self.method, self.target, self.headers, body
        if by == "wire":
            response = await self.wire.ask(*rest, timeout=_UNBOUNDED)
            assert response.status < 300, response.status
            return response.body
        async with await self.wire.open(*rest, timeout=_UNBOUNDED) as opened:
            assert opened.status < 300, opened.status
            return await opened.read()


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text


@contextmanager
def _noting() -> Iterator[list[Sent]]:
    """Note all requests in the order in which they were begun."""
    original, noted = Wire.ask, []

    async def noting(
        wire: Wire,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        **options: Any,
    ) -> Response:
        noted.append(Sent(wire, method, target, headers, (body or b"").decode()))
        return await original(wire, method, target, headers, body, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Wire, "ask", noting)
        yield noted


class Floor:
    """The requests of one start, by their order: an anchor, three at once, the Pod, the rest."""

    def __init__(self, noted: list[Sent], by: str) -> None:
        starts = [sent for sent in noted if sent.method in ("POST", "PATCH")]
        (question,) = (sent for sent in noted if sent.target.endswith("/api"))
        self._anchor, *self._owned, self._pod, self._last = starts
        self._question, self._by = question, by
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
        await self._question.of(name, uids).answer(self._by)

    async def stop(self, name: str) -> None:
        """Delete its Pod, and with it the rest."""
        pod = self._pod.of(name, {})
        where = f"{pod.target.partition('?')[0]}/{json.loads(pod.body)['metadata']['name']}"
        await self._in_turn(pod._replace(method="DELETE", target=where, body=""))

    async def _in_turn(self, sent: Sent) -> bytes:
        async with self._turns:
            return await sent.answer(self._by)


def _uid(answer: bytes) -> str:
    uid: str = json.loads(answer)["metadata"]["uid"]
    return uid


async def _measure(given: dict[str, Any]) -> Figures:
    figures: Figures = {}
    cls = spawn_process._imported("mcks", "first", {})
    model = spawn_process.make(cls, spawn_process.configuration("mcks", given), MODEL)
    with _noting() as noted:
        await model.start()
    meter, names = Meter(given["api_server"]), []
    for by in ("session", "wire"):
        floor = Floor(noted, by)
        mine = [f"floor{by}{n}" for n in range(given["servers"])]
        half = len(mine) // 2
        with meter.taking(figures, f"{by} spawn", half) as walls:
            await spawn_process._one_by_one(mine[:half], floor.start, walls)
        with meter.taking(figures, f"{by} spawn 20", len(mine) - half) as walls:
            await spawn_process._at_once(mine[half:], floor.start, walls)
        names += mine
    await asyncio.gather(model.stop(), *(floor.stop(name) for name in names))
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    return figures


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(json.load(sys.stdin)))))
