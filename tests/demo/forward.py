"""Forward TCP connections: the hub's API to an address that pods reach."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable


@contextlib.asynccontextmanager
async def forwarded(
    address: str, port: int, host: Awaitable[str] | None = None
) -> AsyncIterator[str]:
    """Listen on a free port of *address* for *port* of loopback, or of *host*, which may become
    known only later; yield the URL to use instead."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await _join(reader, writer, await host if host else "127.0.0.1", port)
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, address, 0)
    try:
        yield f"http://{address}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
) -> None:
    with contextlib.closing(writer), contextlib.suppress(OSError):
        there, back = await asyncio.open_connection(host, port)
        with contextlib.closing(back):
            await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
