"""Five ways to log in to one cluster: each cloud on loopback describes it as one of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcks.auth.azure import AKS_SERVER_ID
from tests.cluster.cluster import LocalCluster
from tests.fakes.authenticators import Authenticators
from tests.fakes.aws import FakeAWS
from tests.fakes.azure import CLIENT, TENANT, FakeAzure, entra_user, kubeconfig
from tests.fakes.digitalocean import API_TOKEN, FakeDigitalOcean
from tests.fakes.eks_verifier import Key
from tests.fakes.google import SECRETS as GOOGLE_SECRETS
from tests.fakes.google import FakeGoogle, service_account, write

EKS_CLUSTER = "research"
_ACCESS_KEY, _SECRET_KEY = "AKIAHUB", "SECRETKEYOFTHEHUB"
_AKS_GROUP = "/subscriptions/sub/resourceGroups/group/providers/Microsoft.ContainerService"
_DOKS_ID = "0d3db13e-a604-4944-9827-7ec2642d32ac"
USERS = {
    "eks": "arn:aws:iam::123456789012:user/hub",
    "aks": "66666666-2222-3333-4444-555555555555",
    "gke": "hub@p.iam.gserviceaccount.com",
    "doks": "do:hub@example.org",
}
"""As whom the API server sees the hub, by backend."""


@dataclass
class Place:
    """A cluster whose API server believes *authenticators*; users may start servers there."""

    cluster: LocalCluster
    namespace: str
    authenticators: Authenticators
    hub_kubeconfig: Path
    notebook: tuple[list[str], str]
    """Command and patch of notebook pods."""

    @property
    def ca(self) -> bytes:
        return (self.cluster.directory / "pki" / "ca.crt").read_bytes()


@dataclass
class Login:
    """An entry of ``clusters`` without what all have in common, and as whom it leads in."""

    settings: dict[str, Any]
    user: str
    secrets: list[str]
    cloud: Any = field(default=None)


LogIn = Callable[[Place, pytest.MonkeyPatch, Path], AbstractAsyncContextManager[Login]]


def authenticators() -> Authenticators:
    """Those that know all identities here."""
    made = Authenticators(EKS_CLUSTER, TENANT, AKS_SERVER_ID)
    made.eks_keys[_ACCESS_KEY] = Key(_SECRET_KEY, USERS["eks"])
    made.opaque[GOOGLE_SECRETS[0]] = USERS["gke"]
    made.opaque["k8s-secret-"] = USERS["doks"]
    return made


@asynccontextmanager
async def eks(place: Place, monkeypatch: pytest.MonkeyPatch, _: Path) -> AsyncIterator[Login]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", _ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", _SECRET_KEY)
    async with FakeAWS().running() as cloud:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
        cloud.add_cluster(EKS_CLUSTER, place.ca, place.cluster.api_url)
        settings = {"backend": "eks", "region": "eu-west-1", "cluster": EKS_CLUSTER}
        yield Login(settings, USERS["eks"], [_SECRET_KEY, "k8s-aws-v1."], cloud)


class Entra(FakeAzure):
    """Signs its tokens for clusters, so that the API server's own authenticator can judge them."""

    def __init__(self, issuer: Authenticators) -> None:
        super().__init__()
        self.issuer = issuer
        self.claims: dict[str, Any] = {}
        self.secrets = ["CLIENTSECRETVALUE"]

    def _token(self, scope: str) -> dict[str, Any]:
        answer = super()._token(scope)
        if scope.startswith(AKS_SERVER_ID):
            answer["access_token"] = self.issuer.entra_token(USERS["aks"], **self.claims)
            self.secrets.append(answer["access_token"])
        return answer


@asynccontextmanager
async def aks(place: Place, monkeypatch: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[Login]:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "CLIENTSECRETVALUE")
    cloud = Entra(place.authenticators)
    async with cloud.running(monkeypatch, folder):
        described = kubeconfig(place.cluster.api_url, place.ca, entra_user(AKS_SERVER_ID))
        cloud.add_cluster(f"{_AKS_GROUP}/managedClusters/hub", described)
        settings = {"subscription": "sub", "resource_group": "group", "cluster": "hub"}
        yield Login({"backend": "aks"} | settings, USERS["aks"], cloud.secrets, cloud)


@asynccontextmanager
async def gke(place: Place, monkeypatch: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[Login]:
    file = write(folder / "google.json", service_account())
    async with FakeGoogle().running(monkeypatch, folder) as cloud:
        host = place.cluster.api_url.removeprefix("https://")
        cloud.add_cluster("projects/p/locations/europe-west1/clusters/hub", place.ca, host)
        settings = {"project": "p", "location": "europe-west1", "cluster": "hub"}
        settings |= {"backend": "gke", "credentials_file": file}
        yield Login(settings, USERS["gke"], [GOOGLE_SECRETS[0]], cloud)


@asynccontextmanager
async def doks(place: Place, monkeypatch: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[Login]:
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", API_TOKEN)
    async with FakeDigitalOcean().running(monkeypatch, folder) as cloud:
        cloud.add_cluster(_DOKS_ID, "hub", place.ca, place.cluster.api_url)
        secrets = [API_TOKEN, "k8s-secret-"]
        yield Login({"backend": "doks", "cluster": "hub"}, USERS["doks"], secrets, cloud)


@asynccontextmanager
async def generic_kubeconfig(
    place: Place, monkeypatch: pytest.MonkeyPatch, _: Path
) -> AsyncIterator[Login]:
    monkeypatch.setenv("KUBECONFIG", os.fspath(place.hub_kubeconfig))
    users = yaml.safe_load(place.hub_kubeconfig.read_text())["users"]
    tokens = [user["user"]["token"] for user in users]
    yield Login({"context": place.cluster.context}, "system:serviceaccount:jupyterhub:hub", tokens)


BACKENDS: dict[str, LogIn] = {
    "eks": eks,
    "aks": aks,
    "gke": gke,
    "doks": doks,
    "generic-kubeconfig": generic_kubeconfig,
}
