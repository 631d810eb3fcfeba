"""The page's way to let the chart's proxy trust a gateway whose authority is the operator's own."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web

from tests.cluster.proxy import proxy_command
from tests.hub.chart.test_page import said

pytestmark = pytest.mark.slow

CERTIFICATE = "GATEWAY_CA"
FILE = "NODE_EXTRA_CA_CERTS"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def gateway(authority: trustme.CA) -> AsyncIterator[str]:
    """A server that only those reach who trust *authority*."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="the gateway")

    app = web.Application()
    app.router.add_get("/{any:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def chart_proxy(directory: Path, target: str, certificate: str) -> AsyncIterator[str]:
    """The proxy with the page's command and variables, as the chart's container has them."""
    program = directory / "configurable-http-proxy"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(proxy_command())} "$@"\n')
    program.chmod(0o755)
    assert set(said("proxy.chp.extraEnv")) == {CERTIFICATE, FILE}
    environment = {
        **os.environ,
        "PATH": f"{directory}:{os.environ['PATH']}",
        CERTIFICATE: certificate,
        FILE: str(directory / "gateway-ca.crt"),
    }
    port, api_port = _free_port(), _free_port()
    process = await asyncio.create_subprocess_exec(
        *said("proxy.chp.command"),
        *("--ip=127.0.0.1", f"--port={port}", "--api-ip=127.0.0.1", f"--api-port={api_port}"),
        f"--default-target={target}",
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(60):
            while await _status(f"{url}/_chp_healthz") != 200:
                assert process.returncode is None
                await asyncio.sleep(0.1)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def _status(url: str) -> int:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status
    except aiohttp.ClientError:
        return 0


async def test_the_proxy_trusts_the_authority_that_the_variable_holds(
    authority: trustme.CA, tmp_path: Path
) -> None:
    certificate = authority.cert_pem.bytes().decode()
    async with gateway(authority) as target, chart_proxy(tmp_path, target, certificate) as url:
        assert await _status(f"{url}/user/ada/") == 200


async def test_the_proxy_trusts_no_gateway_of_another_authority(
    authority: trustme.CA, tmp_path: Path
) -> None:
    certificate = trustme.CA().cert_pem.bytes().decode()
    async with gateway(authority) as target, chart_proxy(tmp_path, target, certificate) as url:
        assert await _status(f"{url}/user/ada/") == 503
