"""The connections of one HTTP session: TLS that holds no more than it reads at a time.

Which sessions there are does not belong here.
"""

from __future__ import annotations

import asyncio
from asyncio.sslproto import SSLProtocol
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

_BUFFER = 32 * 1024
"""Bytes of two TLS records; what comes at once is read in more pieces."""


class Connector(aiohttp.TCPConnector):
    """Makes TLS connections with a buffer of 32 kB.

    asyncio gives each one of 256 kB, filled with zeros, for as long as it is open. A hub has three
    for each cluster when it starts.
    """

    async def _create_connection(self, *args: Any, **kwargs: Any) -> ResponseHandler:
        """Make a connection as aiohttp does."""
        protocol = await super()._create_connection(*args, **kwargs)
        _shrink(protocol.transport)
        return protocol


def _shrink(transport: asyncio.Transport | None) -> None:
    """Let *transport* go on with a small buffer. It holds nothing between two turns of the loop.

    asyncio has no setting for that. An event loop with a TLS of its own is left as it is.
    """
    protocol: Any = getattr(transport, "_ssl_protocol", None)
    if not _is_large(protocol):
        return
    protocol.max_size = _BUFFER
    protocol._ssl_buffer = bytearray(_BUFFER)
    protocol._ssl_buffer_view = memoryview(protocol._ssl_buffer)


def _is_large(protocol: Any) -> bool:
    return isinstance(protocol, SSLProtocol) and protocol.max_size > _BUFFER
