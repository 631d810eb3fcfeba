"""No log-in goes without TLS, whatever backend says so, and whenever it does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mcks.auth.credential import Credential
from mcks.backends.base import Backend, Endpoint
from mcks.backends.generic_kubeconfig import GenericKubeconfigBackend
from mcks.core.api.client import ClusterClient
from mcks.core.api.transport import Transport
from mcks.errors import ConfigError
from tests.backends.reading import REF, put_pod, read_pod
from tests.fakes.elsewhere import elsewhere
from tests.fakes.loopback import FakeAPIServer

TOKEN = Credential(token="t0ken")


class _Cloud(Backend):
    where = Endpoint("https://localhost")
    credential = Credential()

    async def endpoint(self) -> Endpoint:
        return self.where

    async def mint(self) -> Credential:
        return self.credential

    def _anonymous(self) -> bool:
        return True


@asynccontextmanager
async def open_server() -> AsyncIterator[tuple[str, list[str]]]:
    """A server without TLS and log-in, and as whom it has been asked."""
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.headers.get("Authorization", "nobody"))
        return web.json_response({"kind": "Pod", "metadata": {"name": "p"}})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", heard
    await runner.cleanup()


@pytest.fixture
async def plain() -> AsyncIterator[str]:
    async with elsewhere() as origin:
        yield origin


@pytest.fixture
async def cloud() -> AsyncIterator[_Cloud]:
    cloud = _Cloud(cluster_name="a")
    yield cloud
    await cloud.close()


@pytest.mark.parametrize(
    ("credential", "headers", "said"),
    [
        (TOKEN, (), "a token"),
        (Credential(client_certificate="c", client_key="k"), (), "a client certificate"),
        (
            Credential(),
            (("authorization", "Basic eDp5"),),
            "a password, or another Authorization header",
        ),
    ],
)
async def test_a_login_is_not_sent_to_a_server_without_tls(
    plain: str,
    cloud: _Cloud,
    credential: Credential,
    headers: tuple[tuple[str, str], ...],
    said: str,
) -> None:
    cloud.credential, cloud.where = credential, Endpoint(plain, headers=headers)
    expected = f"^cluster 'a': {plain} is not https, and there is {said} to log in with"
    with pytest.raises(ConfigError, match=expected) as failure:
        await Transport.of(cloud)
    assert "t0ken" not in str(failure.value)


async def test_nor_is_the_password_in_its_url(plain: str, cloud: _Cloud) -> None:
    cloud.where = Endpoint(plain.replace("//", "//ada:passw0rd@"))
    with pytest.raises(ConfigError, match="there is a password, or") as failure:
        await Transport.of(cloud)
    assert "passw0rd" not in str(failure.value)


async def test_nor_is_one_that_comes_later(cloud: _Cloud) -> None:
    async with open_server() as (url, heard):
        cloud.where = Endpoint(url)
        client = ClusterClient(await Transport.of(cloud))
        assert (await client.get(REF))["metadata"]["name"] == "p"
        cloud.credential = TOKEN
        cloud.credentials.reject(await cloud.credentials.get())
        with pytest.raises(ConfigError, match="a token to log in with"):
            await client.get(REF)
        await client.close()
    assert heard == ["nobody"]


async def test_a_search_after_a_refused_certificate_finds_none_without_tls(
    plain: str, cloud: _Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeAPIServer().running() as server:
        put_pod(server)
        cloud.credential, cloud.where = TOKEN, Endpoint(server.url, server.ca_data)
        client = ClusterClient(await Transport.of(cloud))
        cloud.where = Endpoint(plain)
        assert await cloud.renew_trust() is False
        await client.get(REF)
        await client.close()
    assert "cluster 'a': no new CA was found: what was found is not an https URL" in caplog.text


def kubeconfig(folder: Path, server: str, user: dict[str, Any] | None) -> GenericKubeconfigBackend:
    """The backend of a kubeconfig whose context has *user*, or none."""
    context = {"cluster": "c", "user": "u"} if user is not None else {"cluster": "c"}
    config = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "contexts": [{"name": "x", "context": context}],
        "users": [{"name": "u", "user": user or {}}],
    }
    (folder / "config").write_text(json.dumps(config))
    where = str(folder / "config")
    return GenericKubeconfigBackend(cluster_name="a", kubeconfig=where, context="x")


@pytest.mark.parametrize(
    "user",
    [
        {"token": "t0ken"},
        {"tokenFile": "/no/such/file"},
        {"username": "ada", "password": "t0ken"},
        {"client-certificate-data": "eA==", "client-key-data": "eA=="},
        {"client-certificate": "/no/such/file", "client-key": "/no/such/file"},
        {"exec": {"command": "/no/such/program"}, "as": "somebody"},
        {"auth-provider": {"name": "gcp"}},
    ],
    ids=lambda user: next(iter(user)),
)
async def test_a_kubeconfig_whose_user_would_log_in_without_tls_is_refused_offline(
    plain: str, tmp_path: Path, user: dict[str, Any]
) -> None:
    backend = kubeconfig(tmp_path, plain, user)
    (told,) = backend.problems()
    key = next(iter(user))
    assert "clusters[c].server is not https, and there is" in told
    assert f"{key} in" in told
    assert "users[u] to log in with" in told
    assert "t0ken" not in told
    with pytest.raises(ConfigError, match="not https"):
        await backend.connect()
    await backend.close()


@pytest.mark.parametrize("user", [None, {}, {"as": "somebody"}])
async def test_a_context_that_logs_in_nowhere_may_have_a_server_without_tls(
    tmp_path: Path, user: dict[str, Any] | None
) -> None:
    async with open_server() as (url, heard):
        backend = kubeconfig(tmp_path, url, user)
        assert backend.problems() == []
        assert (await read_pod(backend))["metadata"]["name"] == "p"
    assert heard == ["nobody"]
