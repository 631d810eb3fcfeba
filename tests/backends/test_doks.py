"""The DOKS backend: DigitalOcean and the API server on loopback."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mcks.backends.doks import DOKSBackend
from mcks.backends.registry import backend_class
from mcks.errors import AuthError, ConfigError, Unauthorized, Unreachable
from tests.backends.reading import REF, bearer, client_of, read_pod
from tests.fakes.digitalocean import API_TOKEN, HOST, FakeDigitalOcean
from tests.fakes.loopback import FakeAPIServer

ID = "0d3db13e-a604-4944-9827-7ec2642d32ac"
OTHER = "1d3db13e-a604-4944-9827-7ec2642d32ac"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", API_TOKEN)
    monkeypatch.setattr("mcks.backends.cloud_api._FIRST_PAUSE", 0.001)


@pytest.fixture
async def cloud(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: FakeAPIServer
) -> AsyncIterator[FakeDigitalOcean]:
    async with FakeDigitalOcean().running(monkeypatch, tmp_path) as cloud:
        cloud.add_cluster(OTHER, "other", b"", "https://other.example.test")
        cloud.add_cluster(OTHER[:-1] + "d", "another", b"", "https://other.example.test")
        cloud.add_cluster(ID, "hub", server.ca_data, server.url)
        yield cloud


def backend_for(**settings: Any) -> DOKSBackend:
    return DOKSBackend(cluster_name="do", **({"cluster": ID} | settings))


async def test_it_is_installed_as_doks() -> None:
    assert backend_class("doks") is DOKSBackend


async def test_one_call_gives_endpoint_and_token(
    cloud: FakeDigitalOcean, server: FakeAPIServer
) -> None:
    backend = backend_for()
    assert backend.problems() == []
    assert await read_pod(backend)
    assert bearer(server) == "k8s-secret-1"
    assert cloud.calls == [f"GET {HOST}/v2/kubernetes/clusters/{ID}/credentials"]


async def test_a_token_lives_for_an_hour_not_for_a_week(cloud: FakeDigitalOcean) -> None:
    credential = await backend_for().mint()
    assert credential.expires_at == pytest.approx(time.time() + 3600, abs=10)


async def test_each_later_token_is_asked_for(
    cloud: FakeDigitalOcean, server: FakeAPIServer
) -> None:
    backend = backend_for()
    client = await client_of(backend)
    await client.get(REF)
    server.tokens = {"k8s-secret-2"}
    await client.get(REF)
    assert cloud.made == 2
    await client.close()
    await backend.close()


async def test_a_cluster_is_found_by_name_once(cloud: FakeDigitalOcean) -> None:
    backend = backend_for(cluster="hub")
    client = await client_of(backend)
    backend.credentials.reject(await backend.credentials.get())
    await client.get(REF)
    assert [c.rpartition("/")[2] for c in cloud.calls] == [
        "clusters",
        "clusters",
        "credentials",
        "credentials",
    ], "two pages of the list, and then no more"
    await client.close()
    await backend.close()


async def test_a_name_of_two_clusters_is_an_error_that_lists_their_ids(
    cloud: FakeDigitalOcean,
) -> None:
    cloud.clusters[OTHER]["name"] = "hub"
    with pytest.raises(ConfigError, match=rf"several have this name; use an id: {OTHER}, {ID}"):
        await backend_for(cluster="hub").endpoint()


@pytest.mark.parametrize("cluster", ["nope", ID[:-1] + "0"])
async def test_an_unknown_cluster_is_a_config_error(cloud: FakeDigitalOcean, cluster: str) -> None:
    with pytest.raises(ConfigError, match=r"cluster 'do' \(DOKS '.*no "):
        await backend_for(cluster=cluster).endpoint()


async def test_a_cluster_made_anew_under_its_name_is_found_again(
    cloud: FakeDigitalOcean, server: FakeAPIServer
) -> None:
    backend = backend_for(cluster="hub")
    await backend.mint()
    del cloud.clusters[ID]
    new = ID[:-1] + "f"
    cloud.add_cluster(new, "hub", server.ca_data, server.url)
    with pytest.raises(ConfigError, match="no such cluster"):
        await backend.mint()
    assert await backend.mint()


async def test_throttling_is_waited_out(cloud: FakeDigitalOcean) -> None:
    headers = {"retry-after": "0"}
    cloud.errors.append(lambda: web.json_response({}, status=429, headers=headers))
    assert await backend_for().mint()
    assert len(cloud.calls) == 2


async def test_an_answer_that_makes_no_sense_is_unreachable(cloud: FakeDigitalOcean) -> None:
    cloud.errors.append(lambda: web.Response(text="<html>"))
    with pytest.raises(Unreachable, match="not JSON"):
        await backend_for().mint()


async def test_a_redirect_is_not_followed(cloud: FakeDigitalOcean) -> None:
    headers = {"Location": "http://127.0.0.1/"}
    cloud.errors.append(lambda: web.Response(status=302, headers=headers))
    with pytest.raises(Unreachable, match="HTTP status 302"):
        await backend_for().mint()
    assert len(cloud.calls) == 1


async def test_a_cluster_that_is_being_created_has_no_endpoint_yet(cloud: FakeDigitalOcean) -> None:
    cloud.credentials[ID]["server"] = ""
    with pytest.raises(ConfigError, match="being created"):
        await backend_for().endpoint()


async def test_an_answer_without_a_token_is_an_auth_error(cloud: FakeDigitalOcean) -> None:
    cloud.credentials[ID]["token"] = None
    with pytest.raises(AuthError, match="gave no token"):
        await backend_for().mint()


async def test_an_old_cluster_gives_a_client_certificate(
    cloud: FakeDigitalOcean, server: FakeAPIServer
) -> None:
    issued = server.ca.issue_cert("hub@example.test", common_name="hub")
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    cloud.credentials[ID] |= {
        "token": None,
        "client_certificate_data": base64.b64encode(chain).decode(),
        "client_key_data": base64.b64encode(issued.private_key_pem.bytes()).decode(),
    }
    assert await read_pod(backend_for())
    assert server.certificates[-1]["subject"]


async def test_data_that_is_not_base64_is_a_config_error(cloud: FakeDigitalOcean) -> None:
    cloud.credentials[ID]["certificate_authority_data"] = "a"
    with pytest.raises(ConfigError, match="not base64"):
        await backend_for().endpoint()


async def test_the_token_file_is_used(
    cloud: FakeDigitalOcean, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIGITALOCEAN_ACCESS_TOKEN")
    (tmp_path / "token").write_text(API_TOKEN)
    backend = backend_for(token_file=str(tmp_path / "token"))
    assert await read_pod(backend)
    assert str(tmp_path) in backend.identity()
    with pytest.raises(AuthError, match=r"'do'.*there is no API token"):
        await backend_for().mint()


async def test_a_missing_cluster_is_told_offline_and_online(cloud: FakeDigitalOcean) -> None:
    backend = backend_for(cluster="")
    assert "set cluster" in backend.problems()[0]
    with pytest.raises(ConfigError, match="set cluster"):
        await backend.mint()


async def test_nothing_secret_is_logged_or_shown(
    cloud: FakeDigitalOcean, server: FakeAPIServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.tokens = set()
    backend = backend_for()
    with pytest.raises(Unauthorized, match="API token's owner") as failure:
        await read_pod(backend)
    shown = caplog.text + str(failure.value) + repr(failure.value) + repr(await backend.endpoint())
    assert "k8s-secret" not in shown
    assert API_TOKEN not in shown


async def test_a_cloud_that_is_away_silent_or_breaks_off_is_unreachable(
    cloud: FakeDigitalOcean, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    async def silent(_request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    cloud.handlers[HOST] = cut
    with pytest.raises(Unreachable, match="the connection broke"):
        await backend_for().mint()
    cloud.handlers[HOST] = silent
    monkeypatch.setattr("mcks.backends.cloud_api._DEADLINE", 0.2)
    with pytest.raises(Unreachable, match="no answer in time"):
        await backend_for().mint()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(Unreachable, match="no connection"):
        await backend_for().mint()


async def test_a_clouds_certificate_is_checked(
    cloud: FakeDigitalOcean, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(FakeAPIServer().ca_data)
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with pytest.raises(Unreachable, match="its certificate was refused"):
        await backend_for().mint()
