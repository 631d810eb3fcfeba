"""What is sent to the Pod of a trial arrives, or is told: by the Pod's own program on loopback."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from mcks.core.gateways.routes import Target
from mcks.core.trying import in_the_pod, through_gateway
from mcks.core.trying.report import Step
from tests.core.trying.gateways import gateway, web_server

PREFIX = "/user/mcks-check-1/"
PROGRAM = Path(in_the_pod.__file__).read_text()


@asynccontextmanager
async def program(port: int, api_url: str) -> AsyncIterator[list[list[Any]]]:
    """The Pod's program as a process of its own; gives what it tells of the hub."""
    env = {
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}{PREFIX}",
        "JUPYTERHUB_API_URL": api_url,
        "HTTP_PROXY": "http://192.0.2.1:1",
        "PATH": os.environ["PATH"],
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", PROGRAM, env=env, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        assert line.startswith(in_the_pod.MARK)
        yield json.loads(line.removeprefix(in_the_pod.MARK))
    finally:
        process.terminate()
        await process.communicate()


async def hub(_: web.Request) -> web.Response:
    return web.json_response({"version": "6.1.1"})


async def steps_of(url: str, host: str = "hub.example.org") -> dict[str, Step]:
    found = await through_gateway.tried(Target(url, PREFIX), host)
    assert [step.step for step in found] == list(through_gateway.STEPS)
    return {step.step: step for step in found}


async def test_all_arrives_where_nothing_is_in_the_way(unused_tcp_port: int) -> None:
    async with (
        web_server(hub) as url,
        program(unused_tcp_port, f"{url}/hub/api") as looks,
    ):
        steps = await steps_of(f"http://127.0.0.1:{unused_tcp_port}")
    assert [fine for _, fine, *_ in looks] == [True, True, True]
    assert looks[-1][2] == f"JupyterHub 6.1.1 at {url}/hub/api"
    assert {step.result for step in steps.values()} == {"ok"}, steps
    assert "a request for the host hub.example.org arrives" in steps["host"].what
    assert "10 MiB arrive" in steps["body"].what


@pytest.mark.parametrize(
    ("url", "step", "words"),
    [
        ("http://no-such-hub.invalid:8081/hub/api", "resolve", ""),
        ("http://127.0.0.1:1/hub/api", "reach", "Connection refused"),
    ],
)
async def test_what_of_the_hub_fails_is_told_and_ends_the_look(
    unused_tcp_port: int, url: str, step: str, words: str
) -> None:
    async with program(unused_tcp_port, url) as looks:
        name, fine, told, _ = looks[-1]
    assert (name, fine) == (step, False)
    assert told
    assert words in told


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (web.HTTPBadGateway(), "HTTP 502"),
        (web.Response(text="<html>"), "it answers, and is no JupyterHub"),
        (web.json_response({}), "it answers, and is no JupyterHub"),
        (web.json_response(["a list"]), "it answers, and is no JupyterHub"),
    ],
)
async def test_what_is_not_the_hub_is_told(
    unused_tcp_port: int, answer: web.Response, words: str
) -> None:
    async def other(_: web.Request) -> web.Response:
        return web.Response(status=answer.status, body=answer.body)

    async with web_server(other) as url, program(unused_tcp_port, f"{url}/hub/api") as looks:
        assert looks[-1][:3] == ["ask", False, words]


async def test_what_does_not_even_speak_http_is_told(unused_tcp_port: int) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hub/api"
        async with program(unused_tcp_port, url) as looks:
            assert looks[-1][0:2] == ["ask", False]
            assert looks[-1][2]


@pytest.mark.parametrize(
    ("faults", "step", "words", "to_do"),
    [
        (
            {"host": "gateway.example.org"},
            "host",
            "HTTP 404, not from the Pod",
            "whatever the Host",
        ),
        ({"decodes": True}, "path", "arrives as", "without decoding"),
        ({"most": 1024 * 1024}, "body", "HTTP 413, not from the Pod", "larger bodies"),
        ({"no_websockets": True}, "websocket", "answered with HTTP 400", "no kernel works"),
    ],
)
async def test_what_a_gateway_does_not_bring_is_told_with_what_to_do(
    unused_tcp_port: int, faults: dict[str, Any], step: str, words: str, to_do: str
) -> None:
    async with (
        program(unused_tcp_port, "http://127.0.0.1:1/"),
        gateway(f"http://127.0.0.1:{unused_tcp_port}", **faults) as url,
    ):
        found = (await steps_of(url))[step]
    assert found.result == "failed"
    assert words in found.what
    assert to_do in found.to_do


@pytest.mark.parametrize(
    ("names", "host", "result"),
    [
        (["localhost", "hub.example.org"], "hub.example.org", "ok"),
        (["localhost", "2001:db8::7"], "[2001:db8::7]:8443", "ok"),
        (["localhost"], "hub.example.org", "failed"),
    ],
)
async def test_the_gateways_certificate_must_have_the_hubs_name_too(
    unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch, names: list[str], host: str, result: str
) -> None:
    ca, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=90)
    ca.issue_cert(*names, not_after=ends).configure_cert(tls)
    original = ssl.create_default_context

    def trusting(*_: Any, **__: Any) -> ssl.SSLContext:
        context = original()
        ca.configure_trust(context)
        return context

    monkeypatch.setattr(ssl, "create_default_context", trusting)
    async with (
        program(unused_tcp_port, "http://127.0.0.1:1/"),
        gateway(f"http://127.0.0.1:{unused_tcp_port}", tls=tls) as url,
    ):
        found = (await steps_of(url, host))["tls"]
    assert found.result == result, found
    if result == "failed":
        assert "no certificate for hub.example.org: Hostname mismatch" in found.what
        assert "configurable-http-proxy" in found.to_do


async def test_a_gateway_that_is_away_is_told_at_each_step(unused_tcp_port: int) -> None:
    steps = await steps_of(f"http://127.0.0.1:{unused_tcp_port}")
    told = {name: step.result for name, step in steps.items() if name != "tls"}
    assert set(told.values()) == {"failed"}
