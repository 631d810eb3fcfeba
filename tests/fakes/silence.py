"""A server that takes connections and never says a word, as one does behind a dead network."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

THREADS = "mcks "
"""How the names of the threads of clouds' calls begin."""


@dataclass
class Silence:
    """Its address, and who has connected."""

    url: str = ""
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    async def heard(self, connections: int) -> None:
        """Return when so many *connections* have been made."""
        async with asyncio.timeout(20):
            while len(self.connections) < connections:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def silence() -> AsyncIterator[Silence]:
    """Run such a server on loopback; at the end it hangs up."""
    found = Silence()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections.append(writer)

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        for writer in found.connections:
            writer.transport.abort()


def cloud_threads() -> list[threading.Thread]:
    """The threads in which calls to clouds are under way."""
    return [thread for thread in threading.enumerate() if thread.name.startswith(THREADS)]


def wait_for_cloud_threads(seconds: float = 20) -> None:
    """Return when no call to a cloud is under way: none must go on in another test."""
    deadline = time.monotonic() + seconds
    for thread in cloud_threads():
        thread.join(max(deadline - time.monotonic(), 0))
    assert not cloud_threads(), "calls to clouds go on after the test"
