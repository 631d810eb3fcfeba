"""Until when a server's certificate is good. Whether it is trusted does not belong here."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from urllib.parse import urlsplit

SOON = 30.0
"""Days before its end at which a certificate should have been renewed."""


async def days_left(url: str, context: ssl.SSLContext, server_name: str | None = None) -> float:
    """Return for how many days more the certificate at *url* (https) is good.

    *context* says whom to trust, *server_name* the name in the certificate if it is another than
    the URL's. Raises OSError, of which ``ssl.SSLError`` is one. Bound it with ``asyncio.timeout``.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    _, writer = await asyncio.open_connection(
        host, parts.port or 443, ssl=context, server_hostname=server_name or host
    )
    try:
        certificate = writer.get_extra_info("peercert") or {}
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    ends = certificate.get("notAfter")
    return (ssl.cert_time_to_seconds(ends) - time.time()) / 86400 if ends else float("inf")


def ending(days: float) -> str:
    """Say that a certificate ends soon, nothing if it does not."""
    return f"its certificate ends in {days:.0f} days" if days < SOON else ""
