"""Every backend of ours passes the contract that other packages' backends are held to."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcks.auth.azure import AKS_SERVER_ID
from mcks.backends.aks import AKSBackend
from mcks.backends.doks import DOKSBackend
from mcks.backends.eks import EKSBackend
from mcks.backends.generic_kubeconfig import GenericKubeconfigBackend
from mcks.backends.gke import GKEBackend
from mcks.testing import BackendContract
from tests.fakes.aws import SECRETS as AWS_SECRETS
from tests.fakes.aws import FakeAWS
from tests.fakes.azure import CLIENT, TENANT, FakeAzure, entra_user, kubeconfig
from tests.fakes.digitalocean import API_TOKEN, FakeDigitalOcean
from tests.fakes.google import FakeGoogle, authorized_user, write
from tests.fakes.loopback import FakeAPIServer

UUID = "0d3db13e-a604-4944-9827-7ec2642d32ac"


class TestGeneric(BackendContract):
    backend = GenericKubeconfigBackend
    broken_settings = ({"context": "no-such-context"}, {"kubeconfig": "/no/such/file"})

    @pytest.fixture
    def settings(self, server: FakeAPIServer, tmp_path: Path) -> dict[str, Any]:
        config = {
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [
                {
                    "name": "c",
                    "cluster": {
                        "server": server.url,
                        "certificate-authority-data": base64.b64encode(server.ca_data).decode(),
                    },
                }
            ],
            "users": [{"name": "u", "user": {"token": "kubeconfig-token"}}],
        }
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
        return {"kubeconfig": str(tmp_path / "kubeconfig"), "context": "x"}


class TestEKS(BackendContract):
    backend = EKSBackend
    broken_settings = ({"cluster": ""}, {"external_id": "x"})

    @pytest.fixture
    async def settings(
        self, server: FakeAPIServer, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[dict[str, Any]]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AWS_SECRETS[0])
        async with FakeAWS().running() as aws:
            monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
            aws.add_cluster("hub", server.ca_data, server.url)
            yield {"cluster": "hub", "region": "eu-west-1"}


class TestGKE(BackendContract):
    backend = GKEBackend
    broken_settings = ({"project": ""}, {"endpoint_type": "connect-gateway"})

    @pytest.fixture
    async def settings(
        self, server: FakeAPIServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> AsyncIterator[dict[str, Any]]:
        async with FakeGoogle().running(monkeypatch, tmp_path) as google:
            path = "projects/p/locations/l/clusters/c"
            google.add_cluster(path, server.ca_data, server.url.removeprefix("https://"))
            file = write(tmp_path / "user.json", authorized_user())
            yield {"project": "p", "location": "l", "cluster": "c", "credentials_file": file}


class TestAKS(BackendContract):
    backend = AKSBackend
    broken_settings = ({"cluster": ""}, {"credential": "azurecli"})

    @pytest.fixture
    async def settings(
        self, server: FakeAPIServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> AsyncIterator[dict[str, Any]]:
        monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
        monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
        monkeypatch.setenv("AZURE_CLIENT_SECRET", "secret-of-the-application")
        async with FakeAzure().running(monkeypatch, tmp_path) as azure:
            provider = "providers/Microsoft.ContainerService/managedClusters/c"
            answer = kubeconfig(server.url, server.ca_data, entra_user(AKS_SERVER_ID))
            azure.add_cluster(f"/subscriptions/s/resourceGroups/g/{provider}", answer)
            yield {"subscription": "s", "resource_group": "g", "cluster": "c"}


class TestDOKS(BackendContract):
    backend = DOKSBackend
    broken_settings = ({"cluster": ""},)

    @pytest.fixture
    async def settings(
        self, server: FakeAPIServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> AsyncIterator[dict[str, Any]]:
        monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", API_TOKEN)
        async with FakeDigitalOcean().running(monkeypatch, tmp_path) as cloud:
            cloud.add_cluster(UUID, "hub", server.ca_data, server.url)
            yield {"cluster": UUID}


class _Silent(GenericKubeconfigBackend):
    """A backend that notices no mistake."""

    def problems(self) -> list[str]:
        return []


async def test_a_backend_that_names_no_mistakes_does_not_pass() -> None:
    class Contract(BackendContract):
        backend = _Silent

    with pytest.raises(AssertionError, match="broken_settings is empty") as failure:
        await Contract().test_mistakes_are_told_offline_and_raise_config_errors({"context": "x"})
    assert """broken_settings = ({"context": ""},)""" in str(failure.value)


async def test_a_backend_that_notices_no_mistake_does_not_pass() -> None:
    class Contract(BackendContract):
        backend = _Silent
        broken_settings = ({"context": "no-such-context"},)

    with pytest.raises(AssertionError, match="no problem found with"):
        await Contract().test_mistakes_are_told_offline_and_raise_config_errors({})
