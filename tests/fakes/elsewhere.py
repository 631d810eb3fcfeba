"""A server without TLS to which others redirect, and which must hear of nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def elsewhere() -> AsyncIterator[str]:
    """Yield its origin; in the end it has heard nothing."""
    heard = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(f"{request.method} {request.path}: {await request.text()}")
        return web.json_response({"kind": "Pod", "metadata": {"name": "p"}})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hear)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
    assert heard == []


def redirect(status: int, location: str) -> web.Response:
    """An answer that sends who asked to *location*."""
    return web.Response(status=status, headers={"Location": location})
