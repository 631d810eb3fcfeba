"""What runs in the Pod of ``mcks check --start``: it looks at the hub, then tells what reaches it.

Its text is sent to the Pod, where the image's own Python runs it: so it imports nothing but the
standard library, and is Python 3.8. Asking it does not belong here (through_gateway.py).

It writes one line, MARK and JSON: ``[[what, fine, words, seconds], ...]`` of what it found out
about the hub. Then it serves as much of a single-user server as the hub's own question needs, and
below ``mcks-check/`` an echo of each request, a WebSocket's included.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import http.server
import json
import os
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

MARK = "mcks-check: "
_SECONDS = 10
_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


def look_at_hub(url: str) -> list[list[Any]]:
    """Resolve, reach and ask the hub's API at *url*; stop at what fails."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    host = parts.hostname or ""
    looks: dict[str, Callable[[], str]] = {
        "resolve": lambda: _resolved(host, port),
        "reach": lambda: _reached(host, port),
        "ask": lambda: _asked(url),
    }
    told: list[list[Any]] = []
    for what, look in looks.items():
        began = time.monotonic()
        try:
            words, fine = look(), True
        except (OSError, ValueError, http.client.HTTPException) as exc:
            words, fine = _reason(exc), False
        told.append([what, fine, words, round(time.monotonic() - began, 3)])
        if not fine:
            break
    return told


def _resolved(host: str, port: int) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return f"{host} is {found[0][4][0]}"


def _reached(host: str, port: int) -> str:
    socket.create_connection((host, port), timeout=_SECONDS).close()
    return f"{host}:{port} accepts connections"


def _asked(url: str) -> str:
    # a single-user server heeds no proxy variables either
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url.rstrip("/") + "/", timeout=_SECONDS) as answer:
        told = json.loads(answer.read())
    version = told.get("version") if isinstance(told, dict) else None
    if not version:
        raise ValueError("it answers, and is no JupyterHub")
    return f"JupyterHub {version} at {url}"


def _reason(exc: Exception) -> str:
    if isinstance(exc, urllib.error.HTTPError):
        return f"HTTP {exc.code}"
    cause = getattr(exc, "reason", exc)
    if isinstance(cause, http.client.HTTPException):
        return "it answers, and not by HTTP"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {cause.verify_message}"
    if isinstance(cause, ValueError) and not isinstance(cause, OSError):
        return str(cause) if str(cause).startswith("it ") else "it answers, and is no JupyterHub"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers every request with what reached the Pod of it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer as the hub wants it, as a WebSocket, or by an echo."""
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self._websocket()
        elif self.path.endswith("/api"):
            self._answer({"version": "0"})
        else:
            self._echo(0)

    def do_POST(self) -> None:
        """Count the body."""
        self._echo(self._length_of_body())

    def _echo(self, length: int) -> None:
        host = self.headers.get("Host")
        self._answer({"path": self.path, "host": host, "body": length})

    def _length_of_body(self) -> int:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self._read(int(self.headers.get("Content-Length") or 0))
        length = 0
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            length += self._read(size)
            self.rfile.readline()
            if not size:
                return length

    def _read(self, length: int) -> int:
        left = length
        while left:
            part = self.rfile.read(min(left, 65536))
            if not part:
                break
            left -= len(part)
        return length - left

    def _answer(self, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-JupyterHub-Version", "0")
        self.end_headers()
        self.wfile.write(body)

    def _websocket(self) -> None:
        key = self.headers.get("Sec-WebSocket-Key", "").encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        accept = hashlib.sha1(key + _ACCEPT).digest()  # noqa: S324 - RFC 6455 says SHA-1
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
        self.end_headers()
        _, second = self.rfile.read(2)
        length = second & 0x7F
        mask, masked = self.rfile.read(4), self.rfile.read(length)
        text = bytes(byte ^ mask[number % 4] for number, byte in enumerate(masked))
        self.wfile.write(bytes([0x81, length]) + text)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Write nothing beside the line about the hub."""


class Server(http.server.ThreadingHTTPServer):
    """Listens where a single-user server would."""

    daemon_threads = True


def main() -> None:
    """Tell about the hub, then serve until the Pod ends."""
    place = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    host = place.hostname or ""
    if ":" in host:
        Server.address_family = socket.AF_INET6
    server = Server((host, place.port or 8888), Echo)
    told = look_at_hub(os.environ["JUPYTERHUB_API_URL"])
    sys.stdout.write(MARK + json.dumps(told) + "\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
