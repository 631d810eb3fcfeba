"""The fault proxy in front of the API server on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mcks.backends.tls import make_context
from tests.fakes import fault_proxy
from tests.fakes.fault_proxy import FaultProxy
from tests.fakes.loopback import FakeAPIServer, event

PODS = "/api/v1/namespaces/ns/pods"


@dataclass
class Setting:
    server: FakeAPIServer
    proxy: FaultProxy
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        async with self.session.request(method, self.proxy.url + path, **how) as response:
            return response.status, await response.json()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Setting]:
    async with FakeAPIServer().running() as server:
        server.tokens = {"t"}
        authority = base64.b64encode(server.ca_data).decode()
        cluster = {"server": server.url, "certificate-authority-data": authority}
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(json.dumps({"clusters": [{"name": "a", "cluster": cluster}]}))
        async with fault_proxy.in_front_of(kubeconfig, "a") as proxy:
            found = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]
            trusted = base64.b64decode(found["certificate-authority-data"])
            assert found["server"] == proxy.url
            connector = aiohttp.TCPConnector(ssl=make_context(trusted))
            headers = {"Authorization": "Bearer t"}
            async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
                yield Setting(server, proxy, session)


def pod(name: str) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": name}}


async def test_it_hands_on_requests_with_their_token_and_counts_them(here: Setting) -> None:
    assert (await here.ask("POST", PODS, json=pod("p")))[0] == 201
    assert (await here.ask("GET", f"{PODS}/p"))[1]["metadata"]["name"] == "p"
    assert (await here.ask("GET", PODS))[1]["kind"] == "List"
    assert (await here.ask("DELETE", f"{PODS}/p", json={}))[0] == 200
    assert here.proxy.counts == {
        ("create", "pods"): 1,
        ("get", "pods"): 1,
        ("list", "pods"): 1,
        ("delete", "pods"): 1,
    }


async def test_a_fault_meets_what_it_is_meant_for_and_as_often(here: Setting) -> None:
    rule = here.proxy.inject(
        fault_proxy.refuse(429, "TooManyRequests", Retry_After="3"), "create", name="p", times=1
    )
    assert (await here.ask("POST", PODS, json=pod("other")))[0] == 201
    assert not rule.met.is_set()
    async with here.session.post(here.proxy.url + PODS, json=pod("p")) as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == "3"
    assert rule.met.is_set()
    assert (await here.ask("POST", PODS, json=pod("p")))[0] == 201


@pytest.mark.parametrize(
    ("fault", "arrives"), [(fault_proxy.reset, False), (fault_proxy.lose_answer, True)]
)
async def test_a_broken_connection_before_or_after_the_request(
    here: Setting, fault: fault_proxy.Fault, arrives: bool
) -> None:
    here.proxy.inject(fault, times=1)
    with pytest.raises((aiohttp.ClientConnectionError, ConnectionError)):
        await here.ask("POST", PODS, json=pod("p"))
    assert (PODS + "/p" in here.server.objects) is arrives


@pytest.mark.parametrize(
    ("fault", "arrives"), [(fault_proxy.silence, False), (fault_proxy.swallow_answer, True)]
)
async def test_silence_lasts_until_the_fault_is_over(
    here: Setting, fault: fault_proxy.Fault, arrives: bool
) -> None:
    rule = here.proxy.inject(fault)
    asked = asyncio.create_task(here.ask("POST", PODS, json=pod("p")))
    await rule.met.wait()
    done, _ = await asyncio.wait({asked}, timeout=0.1)
    assert not done
    here.proxy.heal()
    with pytest.raises((aiohttp.ClientConnectionError, ConnectionError)):
        await asked
    assert (PODS + "/p" in here.server.objects) is arrives
    assert (await here.ask("GET", PODS))[0] == 200


async def test_an_answer_breaks_off_or_is_not_kubernetes(here: Setting) -> None:
    here.server.put(f"{PODS}/p", pod("p"))
    here.proxy.inject(fault_proxy.cut_answer, times=1)
    with pytest.raises(aiohttp.ClientPayloadError):
        await here.ask("GET", f"{PODS}/p")
    here.proxy.inject(fault_proxy.login_page, times=1)
    with pytest.raises(aiohttp.ContentTypeError):
        await here.ask("GET", f"{PODS}/p")
    here.proxy.inject(fault_proxy.empty_object, times=1)
    assert await here.ask("GET", f"{PODS}/p") == (200, {})
    here.proxy.inject(fault_proxy.delay(0.01), times=1)
    assert (await here.ask("GET", f"{PODS}/p"))[0] == 200


STREAM_FAULTS: list[tuple[fault_proxy.StreamFault, bytes]] = [
    (fault_proxy.end, b""),
    (fault_proxy.cut_line, b'{"type": "MODIFIED", "object": {"kind": "Pod", "metad'),
    (fault_proxy.tell_nonsense, b"<html>Bad gateway</html>\n"),
    (fault_proxy.tell_null, b'{"type": "ADDED", "object": null}\n'),
]


@pytest.mark.parametrize(("fault", "rest"), STREAM_FAULTS)
async def test_a_watch_ends_as_told(
    here: Setting, fault: fault_proxy.StreamFault, rest: bytes
) -> None:
    here.server.watch_lines = [event("ADDED", pod("p"))]
    async with here.session.get(f"{here.proxy.url}{PODS}?watch=1") as response:
        assert json.loads(await response.content.readline())["type"] == "ADDED"
        await here.proxy.strike(fault)
        assert await response.content.read() == rest


async def test_a_watch_ends_with_an_error_event(here: Setting) -> None:
    async with here.session.get(f"{here.proxy.url}{PODS}?watch=1") as response:
        await here.proxy.strike(fault_proxy.tell_error(410, "Expired"))
        told = json.loads(await response.content.read())
    assert (told["type"], told["object"]["code"]) == ("ERROR", 410)


async def test_a_watch_breaks_or_falls_silent(here: Setting) -> None:
    async with here.session.get(f"{here.proxy.url}{PODS}?watch=1") as response:
        await here.proxy.strike(fault_proxy.break_off)
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await response.content.read()
    async with here.session.get(f"{here.proxy.url}{PODS}?watch=1") as response:
        here.proxy.go_dark()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(response.content.read(), 0.1)
        here.proxy.heal()
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await response.content.read()
