"""Lets the clouds' own libraries read what our played clouds answer: ``python -m tests.referees``.

Needs what requirements.txt names. A wrong path, field or type fails, where our own code, written
by the same hands as the played clouds, would not notice.
"""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.azure import SECRETS, FakeAzure, entra_user, kubeconfig
from tests.fakes.digitalocean import API_TOKEN, FakeDigitalOcean
from tests.fakes.google import FakeGoogle

CA = b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
UUID = "0d3db13e-a604-4944-9827-7ec2642d32ac"


async def google(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The Container API, by Google's discovery document and its strict protocol buffers."""
    import google.auth.credentials
    from google.cloud import container_v1
    from googleapiclient import discovery

    name = "projects/p/locations/europe-west1/clusters/hub"
    async with FakeGoogle().running(monkeypatch, folder) as cloud:
        # This library knows no proxy, so it is told the address.
        cloud.handlers["127.0.0.1"] = cloud.handlers["container.googleapis.com"]
        cloud.add_cluster(
            name,
            CA,
            "203.0.113.1",
            privateClusterConfig={"privateEndpoint": "10.0.0.2"},
            controlPlaneEndpointsConfig={
                "dnsEndpointConfig": {"endpoint": "x.gke.goog", "allowExternalTraffic": True},
                "ipEndpointsConfig": {"enabled": True},
            },
            statusMessage="",
        )

        def ask() -> dict[str, Any]:
            anonymous = google.auth.credentials.AnonymousCredentials()
            api = discovery.build(
                "container",
                "v1",
                static_discovery=True,
                credentials=anonymous,
                client_options={"api_endpoint": cloud.url},
            )
            clusters = api.projects().locations().clusters()
            answer: dict[str, Any] = clusters.get(name=name, fields="name,status").execute()
            return answer

        answer = await asyncio.to_thread(ask)
        strict = container_v1.Cluster.from_json(json.dumps(answer), ignore_unknown_fields=False)
        assert strict.status.name == "RUNNING"
        assert base64.b64decode(strict.master_auth.cluster_ca_certificate) == CA
        assert strict.control_plane_endpoints_config.dns_endpoint_config.allow_external_traffic
        assert strict.private_cluster_config.private_endpoint == "10.0.0.2"


async def azure(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The Resource Manager, by Microsoft's own client."""
    from azure.core.credentials import AccessToken
    from azure.core.exceptions import ResourceNotFoundError
    from azure.mgmt.containerservice import ContainerServiceClient

    class Static:
        def get_token(self, *_scopes: str, **_: Any) -> AccessToken:
            return AccessToken(SECRETS[2], 4070908800)

    async with FakeAzure().running(monkeypatch, folder) as cloud:
        cloud_path = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService"
        cloud.add_cluster(
            f"{cloud_path}/managedClusters/c", kubeconfig("https://x", CA, entra_user("app"))
        )
        cloud.properties = {
            "powerState": {"code": "Stopped"},
            "apiServerAccessProfile": {"enablePrivateCluster": True},
        }

        def ask() -> None:
            clusters = ContainerServiceClient(Static(), "s").managed_clusters
            found = clusters.list_cluster_user_credentials("g", "c", format="exec")
            text = yaml.safe_load(bytes(found.kubeconfigs[0].value))
            assert text["users"][0]["user"]["exec"]["command"] == "kubelogin"
            cluster = clusters.get("g", "c")
            assert cluster.power_state.code == "Stopped"
            assert cluster.api_server_access_profile.enable_private_cluster
            with pytest.raises(ResourceNotFoundError, match="ResourceNotFound"):
                clusters.get("g", "gone")

        await asyncio.to_thread(ask)


async def digitalocean(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The DigitalOcean API, by DigitalOcean's own client."""
    import pydo

    async with FakeDigitalOcean().running(monkeypatch, folder) as cloud:
        cloud.add_cluster(UUID, "hub", CA, "https://x")

        def ask() -> None:
            kubernetes = pydo.Client(API_TOKEN).kubernetes
            listed = kubernetes.list_clusters(per_page=200, page=1)
            assert [c["name"] for c in listed["kubernetes_clusters"]] == ["hub"]
            found = kubernetes.get_credentials(UUID, expiry_seconds=3600)
            assert found["server"] == "https://x"
            assert found["token"] == "k8s-secret-1"
            assert kubernetes.get_cluster(UUID)["kubernetes_cluster"]["id"] == UUID
            assert kubernetes.get_cluster(UUID[:-1] + "0")["id"] == "not_found"

        await asyncio.to_thread(ask)


def main() -> None:
    """Ask all referees; the first objection ends it."""
    referees: list[Callable[[pytest.MonkeyPatch, Path], Awaitable[None]]] = [
        google,
        azure,
        digitalocean,
    ]
    for referee in referees:
        with pytest.MonkeyPatch.context() as monkeypatch, tempfile.TemporaryDirectory() as folder:
            asyncio.run(referee(monkeypatch, Path(folder)))  # type: ignore[arg-type]
        print(f"{referee.__name__}: no objection")


if __name__ == "__main__":
    main()
