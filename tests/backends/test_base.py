"""What all backends have from their base: connecting, trust, certificates, closing."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mcks.auth.credential import Credential
from mcks.backends import api_client
from mcks.backends.base import Backend, Endpoint
from mcks.errors import ConfigError, Unreachable
from tests.backends.reading import REF, client_of
from tests.fakes.loopback import FakeAPIServer


class Cloud(Backend):
    """Everything can be changed under way."""

    where = Endpoint("https://localhost")
    credential = Credential(token="t")
    searches = 0
    failure: Exception | None = None
    held: asyncio.Event | None = None

    async def endpoint(self) -> Endpoint:
        self.searches += 1
        if self.held is not None:
            await self.held.wait()
        if self.failure is not None:
            raise self.failure
        return self.where

    async def mint(self) -> Credential:
        return self.credential


@pytest.fixture
async def cloud(server: FakeAPIServer) -> AsyncIterator[Cloud]:
    cloud = Cloud(cluster_name="a")
    cloud.where = Endpoint(server.url, server.ca_data)
    yield cloud
    await cloud.close()


async def test_an_empty_credential_is_a_config_error(cloud: Cloud) -> None:
    cloud.credential = Credential()
    with pytest.raises(ConfigError, match="cluster 'a': the credential is empty"):
        await cloud.connect()


async def test_what_the_endpoint_raises_gets_out_of_connect(cloud: Cloud) -> None:
    cloud.failure = Unreachable("the cloud is away")
    with pytest.raises(Unreachable, match="the cloud is away"):
        await cloud.connect()


async def test_a_second_client_presents_the_certificate_as_well(
    cloud: Cloud, server: FakeAPIServer
) -> None:
    issued = server.ca.issue_cert("hub@example.test", common_name="hub")
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems).decode()
    key = issued.private_key_pem.bytes().decode()
    cloud.credential = Credential(client_certificate=chain, client_key=key)
    for _ in range(2):
        client = await client_of(cloud)
        await client.get(REF)
        await client.close()
    assert all(server.certificates)
    assert len(server.certificates) == 2


async def test_trust_is_not_renewed_when_nothing_has_changed(cloud: Cloud) -> None:
    api = await cloud.connect()
    assert await cloud.renew_trust() is False
    await api.close()


async def test_trust_is_not_renewed_when_the_cloud_does_not_answer(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    api = await cloud.connect()
    cloud.failure = Unreachable("the cloud is away")
    assert await cloud.renew_trust() is False
    await api.close()


async def test_trust_is_not_renewed_by_what_is_no_certificate(cloud: Cloud) -> None:
    api = await cloud.connect()
    cloud.where = Endpoint(cloud.where.server, b"nonsense")
    assert await cloud.renew_trust() is False
    await api.close()


async def test_many_refused_certificates_lead_to_one_search(
    cloud: Cloud, server: FakeAPIServer
) -> None:
    right, cloud.where = cloud.where, Endpoint(server.url, FakeAPIServer().ca_data)
    client = await client_of(cloud)
    cloud.where = right
    cloud.held = asyncio.Event()
    requests = [asyncio.create_task(client.get(REF)) for _ in range(20)]
    while cloud.searches < 2:
        await asyncio.sleep(0)
    cloud.held.set()
    assert len(await asyncio.gather(*requests)) == 20
    assert cloud.searches == 2
    await client.close()


async def test_closing_ends_a_search_under_way(cloud: Cloud) -> None:
    api = await cloud.connect()
    cloud.held = asyncio.Event()
    search = asyncio.create_task(cloud.renew_trust())
    while cloud.searches < 2:
        await asyncio.sleep(0)
    await cloud.close()
    assert await search is False
    await api.close()


async def test_typed_models_of_the_sdk_work_with_the_client(cloud: Cloud) -> None:
    """The client is a plain ApiClient, for whoever wants to use it as such."""
    from kubernetes_asyncio.client import CoreV1Api

    api = await cloud.connect()
    found: Any = await CoreV1Api(api).read_namespaced_pod("p", "ns", _preload_content=False)
    assert found.status == 200
    found.release()
    assert api.default_headers["User-Agent"].startswith("mcks/")
    await api.close()


async def test_who_comes_while_the_sdk_is_imported_waits_in_a_thread_until_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client made of a module that is half there would hold up the event loop."""
    gate = tmp_path / "mcks_test_gate.py"
    gate.write_text("import threading\nbegun, go = threading.Event(), threading.Event()\n")
    slow = "import mcks_test_gate as gate\ngate.begun.set()\ngate.go.wait(30)\nthere = True\n"
    (tmp_path / "mcks_test_sdk.py").write_text(slow)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(api_client, "_SDK", "mcks_test_sdk")
    found = []

    def imported() -> None:
        api_client._import_sdk()
        found.append(hasattr(sys.modules["mcks_test_sdk"], "there"))

    api_client.import_ahead()
    begun, go = await asyncio.to_thread(lambda: _events_of("mcks_test_gate"))
    assert await asyncio.to_thread(begun.wait, 30)
    second = threading.Thread(target=imported)
    second.start()
    second.join(0.1)
    go.set()
    await asyncio.to_thread(second.join)
    assert found == [True]


async def test_modules_are_imported_ahead_in_one_thread_though_the_sdk_is_there_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mcks_test_ahead.py").write_text("import threading\nwho = threading.get_ident()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(api_client, "_SDK", "json")
    loop, begun, then = asyncio.get_running_loop(), [], list[int]()
    in_thread = loop.run_in_executor

    def noted(*work: Any) -> Any:
        begun.append(work)
        return in_thread(*work)

    monkeypatch.setattr(loop, "run_in_executor", noted)
    for _ in range(1000):  # as many spawners as a hub makes in one turn
        api_client.import_ahead("mcks_test_ahead", then=lambda: then.append(threading.get_ident()))
    await api_client.imported_ahead()
    assert sys.modules["mcks_test_ahead"].who != threading.get_ident()
    assert then == [sys.modules["mcks_test_ahead"].who]
    assert len(begun) == 1
    await api_client.imported_ahead()


async def test_who_waits_for_what_is_imported_ahead_is_not_kept_by_an_import_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_client, "_SDK", "json")
    api_client.import_ahead("mcks_test_missing")
    await api_client.imported_ahead()
    assert "mcks_test_missing" not in sys.modules


def _events_of(gate: str) -> tuple[threading.Event, threading.Event]:
    """The gate's module is imported by whichever thread comes first."""
    module = importlib.import_module(gate)
    return module.begun, module.go
