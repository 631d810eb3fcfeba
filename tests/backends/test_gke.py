"""The GKE backend: Google and the API server on loopback, the real google-auth between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from mcks.backends.gke import GKEBackend
from mcks.backends.registry import backend_class
from mcks.errors import ConfigError, Unauthorized, Unreachable
from tests.backends.reading import bearer, read_pod
from tests.fakes.google import SECRETS, FakeGoogle, authorized_user, write
from tests.fakes.loopback import FakeAPIServer

Make = Callable[..., GKEBackend]
PATH = "projects/p/locations/europe-west1/clusters/hub"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcks.backends.cloud_api._FIRST_PAUSE", 0.001)


@pytest.fixture
async def google(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: FakeAPIServer
) -> AsyncIterator[FakeGoogle]:
    async with FakeGoogle().running(monkeypatch, tmp_path) as google:
        google.add_cluster(PATH, server.ca_data, server.url.removeprefix("https://"))
        yield google


@pytest.fixture
def backend_for(tmp_path: Path) -> Make:
    file = write(tmp_path / "user.json", authorized_user())

    def make(**settings: Any) -> GKEBackend:
        named = {"project": "p", "location": "europe-west1", "cluster": "hub"}
        settings = named | {"credentials_file": file} | settings
        return GKEBackend(cluster_name="gcp", **settings)

    return make


async def test_it_is_installed_as_gke() -> None:
    assert backend_class("gke") is GKEBackend


async def test_a_cluster_is_found_and_an_object_is_read(
    google: FakeGoogle, server: FakeAPIServer, backend_for: Make
) -> None:
    backend = backend_for()
    assert backend.problems() == []
    assert await read_pod(backend)
    assert bearer(server) == SECRETS[0]
    asked = next(r for r in google.requests if r.host == "container.googleapis.com")
    assert asked.path == f"/v1/{PATH}"
    assert asked.headers["x-goog-user-project"] == "payer"
    assert "masterAuth/clusterCaCertificate" in asked.query["fields"]


def describe(google: FakeGoogle) -> dict[str, Any]:
    return google.clusters[PATH]


async def test_the_endpoint_is_chosen_as_gcloud_does(google: FakeGoogle, backend_for: Make) -> None:
    found = describe(google)
    found["endpoint"] = "203.0.113.1"
    found["privateClusterConfig"] = {"privateEndpoint": "10.0.0.2"}
    dns = {"endpoint": "abc.europe-west1.gke.goog", "allowExternalTraffic": True}
    found["controlPlaneEndpointsConfig"] = {
        "dnsEndpointConfig": dns,
        "ipEndpointsConfig": {"enabled": True},
    }

    async def server(kind: str) -> tuple[str, bool]:
        endpoint = await backend_for(endpoint_type=kind).endpoint()
        return endpoint.server, endpoint.ca_data is not None

    assert await server("auto") == ("https://203.0.113.1", True)
    assert await server("public") == ("https://203.0.113.1", True)
    assert await server("private") == ("https://10.0.0.2", True)
    assert await server("dns") == ("https://abc.europe-west1.gke.goog", False), "a public CA"
    del found["privateClusterConfig"]
    found["controlPlaneEndpointsConfig"]["ipEndpointsConfig"] = {"privateEndpoint": "10.0.0.3"}
    assert await server("private") == ("https://10.0.0.3", True)
    found["controlPlaneEndpointsConfig"]["ipEndpointsConfig"] = {"enabled": False}
    assert await server("auto") == ("https://abc.europe-west1.gke.goog", False)
    dns["allowExternalTraffic"] = False
    with pytest.raises(ConfigError, match="switch on allowExternalTraffic"):
        await server("dns")


@pytest.mark.parametrize(
    ("kind", "message"),
    [("private", "has not the private address"), ("dns", "has no DNS endpoint")],
)
async def test_an_endpoint_that_the_cluster_has_not_is_a_config_error(
    google: FakeGoogle, backend_for: Make, kind: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        await backend_for(endpoint_type=kind).endpoint()


@pytest.mark.parametrize("status", ["PROVISIONING", "STOPPING", "ERROR"])
async def test_a_cluster_that_does_not_serve_is_a_config_error(
    google: FakeGoogle, backend_for: Make, status: str
) -> None:
    describe(google).update(status=status, statusMessage="wait a little")
    with pytest.raises(ConfigError, match=rf"'gcp' \(GKE p/.*{status}: wait a little"):
        await backend_for().endpoint()


@pytest.mark.parametrize("status", ["RECONCILING", "DEGRADED"])
async def test_a_cluster_under_repair_serves(
    google: FakeGoogle, backend_for: Make, status: str
) -> None:
    describe(google)["status"] = status
    assert await read_pod(backend_for())


async def test_a_ca_that_is_nonsense_is_a_config_error(
    google: FakeGoogle, backend_for: Make
) -> None:
    describe(google)["masterAuth"]["clusterCaCertificate"] = "a"
    with pytest.raises(ConfigError, match="not base64"):
        await backend_for().endpoint()
    describe(google)["masterAuth"] = {}
    with pytest.raises(ConfigError, match="tells no CA"):
        await backend_for().endpoint()


async def test_a_token_is_never_sent_in_the_clear(google: FakeGoogle, backend_for: Make) -> None:
    with pytest.raises(Unreachable, match="is not https: no token is sent"):
        await backend_for(api_url=google.url).endpoint()


async def test_a_refused_token_and_a_closed_network_are_explained(
    google: FakeGoogle, server: FakeAPIServer, backend_for: Make, unused_tcp_port: int
) -> None:
    server.tokens = set()
    with pytest.raises(Unauthorized, match="does not accept the token"):
        await read_pod(backend_for())
    describe(google)["endpoint"] = f"127.0.0.1:{unused_tcp_port}"
    with pytest.raises(Unreachable, match="authorized networks"):
        await read_pod(backend_for())


async def test_a_changed_address_and_ca_are_learned_by_the_living_client(
    google: FakeGoogle, server: FakeAPIServer, backend_for: Make
) -> None:
    from tests.backends.reading import REF, client_of

    google.add_cluster(PATH, FakeAPIServer().ca_data, server.url.removeprefix("https://"))
    backend = backend_for()
    client = await client_of(backend)
    google.add_cluster(PATH, server.ca_data, server.url.removeprefix("https://"))
    found = await asyncio.gather(*(client.get(REF) for _ in range(10)))
    assert len(found) == 10
    assert len([c for c in google.calls if "container.googleapis" in c]) == 2
    await client.close()
    await backend.close()


async def test_clusters_of_one_identity_share_their_token(
    google: FakeGoogle, server: FakeAPIServer, backend_for: Make, tmp_path: Path
) -> None:
    from mcks.auth.shared import SharedCredentials
    from tests.backends.reading import REF, client_of

    shared = SharedCredentials()
    google.add_cluster(PATH + "2", server.ca_data, server.url.removeprefix("https://"))
    other = write(tmp_path / "other.json", authorized_user())
    backends = [
        backend_for(),
        backend_for(cluster="hub2"),
        backend_for(cluster="hub2", credentials_file=other),
    ]
    for backend in backends:
        backend.shared_credentials = shared
    assert backends[0].credentials is backends[1].credentials
    assert backends[0].credentials is not backends[2].credentials
    clients = [await client_of(backend) for backend in backends[:2]]
    await backends[0].close()
    await clients[0].close()
    assert await clients[1].get(REF)
    await clients[1].close()
    for backend in backends[1:]:
        await backend.close()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"project": ""}, "set project"),
        ({"location": ""}, "set location"),
        ({"cluster": ""}, "set cluster"),
        ({"endpoint_type": "pubic"}, "not one of auto, public"),
        ({"endpoint_type": "connect-gateway"}, "ten open streams"),
    ],
)
async def test_wrong_settings_are_told_offline_and_online(
    backend_for: Make, settings: dict[str, Any], problem: str
) -> None:
    backend = backend_for(**settings)
    assert problem in backend.problems()[0]
    with pytest.raises(ConfigError, match=problem):
        await backend.endpoint()


async def test_a_missing_sdk_is_told_offline(
    backend_for: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert "pip install 'mcks[gke]'" in backend_for().problems()[0]


async def test_the_identity_is_named(backend_for: Make) -> None:
    assert backend_for(credentials_file="").identity() == "the hub's Google identity"
    assert backend_for(impersonate_service_account="sa@p").identity() == "sa@p"
    assert "user.json" in backend_for().identity()


async def test_nothing_secret_is_logged_or_shown(
    google: FakeGoogle, server: FakeAPIServer, backend_for: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.tokens = set()
    with pytest.raises(Unauthorized) as failure:
        await read_pod(backend_for())
    shown = caplog.text + str(failure.value) + repr(failure.value)
    assert not any(secret in shown for secret in SECRETS)
