"""The AKS backend: Azure and the API server on loopback, the real azure-identity between."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mcks.auth.azure import AKS_SERVER_ID
from mcks.backends.aks import AKSBackend
from mcks.backends.registry import backend_class
from mcks.errors import ConfigError, Unauthorized, Unreachable
from tests.backends.reading import bearer, read_pod
from tests.fakes.azure import CLIENT, SECRETS, TENANT, FakeAzure, entra_user, kubeconfig
from tests.fakes.loopback import FakeAPIServer

SETTINGS = {"subscription": "sub", "resource_group": "Group", "cluster": "hub"}
PATH = (
    "/subscriptions/sub/resourceGroups/Group/providers/Microsoft.ContainerService"
    "/managedClusters/hub"
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRETS[0])
    monkeypatch.setattr("mcks.backends.cloud_api._FIRST_PAUSE", 0.001)


@pytest.fixture
async def azure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: FakeAPIServer
) -> AsyncIterator[FakeAzure]:
    async with FakeAzure().running(monkeypatch, tmp_path) as azure:
        azure.add_cluster(PATH, kubeconfig(server.url, server.ca_data, entra_user(AKS_SERVER_ID)))
        yield azure


def backend_for(**settings: Any) -> AKSBackend:
    return AKSBackend(cluster_name="az", **(SETTINGS | settings))


def manager_calls(azure: FakeAzure) -> list[web.Request]:
    return [r for r in azure.requests if r.host.startswith("management")]


async def test_it_is_installed_as_aks() -> None:
    assert backend_class("aks") is AKSBackend


async def test_a_cluster_is_found_and_an_object_is_read(
    azure: FakeAzure, server: FakeAPIServer
) -> None:
    backend = backend_for()
    assert backend.problems() == []
    assert await read_pod(backend)
    assert bearer(server) == SECRETS[3]
    (asked,) = manager_calls(azure)
    assert (asked.method, asked.path) == ("POST", f"{PATH}/listClusterUserCredential")
    assert dict(asked.query) == {"api-version": "2024-09-01", "format": "exec"}
    assert {form["scope"] for form in azure.forms} == {
        "https://management.azure.com/.default",
        f"{AKS_SERVER_ID}/.default",
    }


@pytest.mark.parametrize(("settings", "client"), [({}, CLIENT), ({"client_id": "own"}, "own")])
async def test_a_managed_identity_is_used_though_the_hub_has_a_workload_identity(
    azure: FakeAzure,
    server: FakeAPIServer,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    client: str,
) -> None:
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/nobody/reads/this")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/")
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", azure.url)
    assert await read_pod(backend_for(credential="managed-identity", **settings))
    assert bearer(server) == SECRETS[3]
    assert {form["client_id"] for form in azure.forms} == {client}
    assert all("resource" in form for form in azure.forms), "all by the metadata service"


async def test_the_public_name_of_a_private_cluster_is_asked_for(azure: FakeAzure) -> None:
    await backend_for(public_fqdn=True).endpoint()
    assert manager_calls(azure)[0].query["server-fqdn"] == "public"


@pytest.mark.parametrize(
    ("cloud", "authority", "manager"),
    [
        ("AzureUSGovernment", "login.microsoftonline.us", "management.usgovcloudapi.net"),
        ("AzureUSGovernmentCloud", "login.microsoftonline.us", "management.usgovcloudapi.net"),
        ("AzureChinaCloud", "login.chinacloudapi.cn", "management.chinacloudapi.cn"),
    ],
)
async def test_sovereign_clouds_have_their_own_hosts(
    azure: FakeAzure, cloud: str, authority: str, manager: str
) -> None:
    await read_pod(backend_for(azure_environment=cloud))
    assert {r.host for r in azure.requests} == {authority, manager}


async def test_a_legacy_clusters_own_application_is_told(
    azure: FakeAzure, server: FakeAPIServer
) -> None:
    azure.add_cluster(PATH, kubeconfig(server.url, server.ca_data, entra_user("own-app")))
    with pytest.raises(ConfigError, match="set server_id to own-app"):
        await backend_for().endpoint()
    assert await read_pod(backend_for(server_id="own-app"))


def local_user(server: FakeAPIServer) -> dict[str, str]:
    issued = server.ca.issue_cert("hub@example.test", common_name="hub")
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    return {
        "client-certificate-data": base64.b64encode(chain).decode(),
        "client-key-data": base64.b64encode(issued.private_key_pem.bytes()).decode(),
        "token": "static-token",
    }


async def test_a_static_certificate_is_taken_only_if_that_is_allowed(
    azure: FakeAzure, server: FakeAPIServer, caplog: pytest.LogCaptureFixture
) -> None:
    azure.add_cluster(PATH, kubeconfig(server.url, server.ca_data, local_user(server)))
    with pytest.raises(ConfigError, match=r"valid for years.*or set allow_local_account"):
        await read_pod(backend_for())
    assert server.seen == []
    log = logging.getLogger("test")
    assert await read_pod(backend_for(allow_local_account=True, log=log))
    assert bearer(server) == "static-token"
    assert server.certificates[-1]["subject"]
    assert "using its static certificate" in caplog.text


async def test_an_answer_without_a_kubeconfig_is_a_config_error(azure: FakeAzure) -> None:
    async def nothing(_request: web.Request) -> web.Response:
        return web.json_response({"kubeconfigs": []})

    azure.handlers["management.azure.com"] = nothing
    with pytest.raises(ConfigError, match="gave no kubeconfig"):
        await backend_for().endpoint()


async def test_a_broken_kubeconfig_is_a_config_error(azure: FakeAzure) -> None:
    azure.add_cluster(PATH, {"current-context": "gone"})
    with pytest.raises(ConfigError, match=r"'az'.*Azure's kubeconfig.*unknown context"):
        await backend_for().endpoint()


@pytest.mark.parametrize(
    ("properties", "hint"),
    [
        ({"powerState": {"code": "Stopped"}}, "cluster is stopped"),
        ({"apiServerAccessProfile": {"enablePrivateCluster": True}}, "cluster is private"),
        ({}, "no connection"),
    ],
)
async def test_a_stopped_or_private_cluster_is_said(
    azure: FakeAzure,
    server: FakeAPIServer,
    unused_tcp_port: int,
    properties: dict[str, Any],
    hint: str,
) -> None:
    url = f"https://127.0.0.1:{unused_tcp_port}"
    azure.add_cluster(PATH, kubeconfig(url, server.ca_data, entra_user(AKS_SERVER_ID)))
    azure.properties = properties
    with pytest.raises(Unreachable, match=hint):
        await read_pod(backend_for())


async def test_a_refused_token_points_at_tenant_and_server_id(
    azure: FakeAzure, server: FakeAPIServer
) -> None:
    server.tokens = set()
    with pytest.raises(Unauthorized, match="Entra tenant"):
        await read_pod(backend_for())


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"subscription": ""}, "set subscription"),
        ({"resource_group": ""}, "set resource_group"),
        ({"cluster": ""}, "set cluster"),
        ({"credential": "managed-identty"}, "Did you mean 'managed-identity'"),
        ({"azure_environment": "AzurePublic"}, "Did you mean 'AzurePublicCloud'"),
    ],
)
async def test_wrong_settings_are_told_offline_and_online(
    settings: dict[str, Any], problem: str
) -> None:
    backend = backend_for(**settings)
    assert problem in backend.problems()[0]
    for step in (backend.endpoint, backend.mint):
        with pytest.raises(ConfigError, match=problem):
            await step()


async def test_a_missing_sdk_is_told_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert "pip install 'mcks[aks]'" in backend_for().problems()[0]


async def test_the_identity_is_named() -> None:
    assert backend_for().identity() == "the hub's Entra identity (auto)"
    assert backend_for(client_id="c").identity() == "the hub's Entra identity c (auto)"


async def test_nothing_secret_is_logged_or_shown(
    azure: FakeAzure, server: FakeAPIServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.tokens = set()
    with pytest.raises(Unauthorized) as failure:
        await read_pod(backend_for())
    shown = caplog.text + str(failure.value) + repr(failure.value)
    assert not any(secret in shown for secret in SECRETS)
