"""Each cloud's tokens are accepted by a real kube-apiserver that authenticates as clouds do."""

from __future__ import annotations

import pytest

from mcks.auth.azure import AKS_SERVER_ID
from mcks.backends.aks import AKSBackend
from mcks.backends.doks import DOKSBackend
from mcks.backends.eks import EKSBackend
from mcks.backends.gke import GKEBackend
from mcks.core.objects import Selection
from mcks.errors import Forbidden, Unauthorized
from tests.backends.authenticating_api_server import EKS_CLUSTER, api_server
from tests.backends.reading import client_of
from tests.fake_aws import SECRETS as AWS_SECRETS
from tests.fake_aws import FakeAWS
from tests.fake_azure import CLIENT, TENANT, FakeAzure, entra_user, kubeconfig
from tests.fake_digitalocean import API_TOKEN, FakeDigitalOcean
from tests.fake_google import SECRETS as GOOGLE_SECRETS
from tests.fake_google import FakeGoogle, authorized_user, write

pytestmark = pytest.mark.cluster

UUID = "0d3db13e-a604-4944-9827-7ec2642d32ac"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with api_server(tmp_path_factory.mktemp("api-server")) as server:
        yield server


@pytest.fixture
async def eks(server, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AWS_SECRETS[0])
    server.authenticator.aws_keys = {"AKIAUSER": AWS_SECRETS[0], "ASIAROLE": AWS_SECRETS[2]}
    async with FakeAWS().running() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        aws.add_cluster(EKS_CLUSTER, server.ca_data, server.url)
        aws.add_cluster("other", server.ca_data, server.url)
        yield aws


@pytest.fixture
async def google(server, monkeypatch, tmp_path):
    server.authenticator.tokens[GOOGLE_SECRETS[0]] = "hub@example.test"
    async with FakeGoogle().running(monkeypatch, tmp_path) as google:
        host = server.url.removeprefix("https://")
        google.add_cluster("projects/p/locations/l/clusters/c", server.ca_data, host)
        yield google


@pytest.fixture
async def azure(server, monkeypatch, tmp_path):
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "secret-of-the-application")
    async with FakeAzure().running(monkeypatch, tmp_path) as azure:
        azure.aks_token = server.authenticator.entra_like_token("object-id")
        provider = "providers/Microsoft.ContainerService/managedClusters/c"
        answer = kubeconfig(server.url, server.ca_data, entra_user(AKS_SERVER_ID))
        azure.add_cluster(f"/subscriptions/s/resourceGroups/g/{provider}", answer)
        yield azure


@pytest.fixture
async def cloud(server, monkeypatch, tmp_path):
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", API_TOKEN)
    async with FakeDigitalOcean().running(monkeypatch, tmp_path) as cloud:
        cloud.add_cluster(UUID, "hub", server.ca_data, server.url)
        yield cloud


async def who(backend):
    """Say as whom the API server knows the hub; nobody has given it rights yet."""
    client = await client_of(backend)
    try:
        with pytest.raises(Forbidden, match="cannot list resource"):
            await client.list(Selection("v1", "Secret", "default"))
        return await client.whoami()
    finally:
        await client.close()
        await backend.close()


async def test_a_token_signed_by_a_users_keys_is_accepted(eks):
    backend = EKSBackend(cluster_name="a", cluster=EKS_CLUSTER, region="eu-west-1")
    assert await who(backend) == "aws:AKIAUSER"


async def test_a_token_signed_by_an_assumed_role_is_accepted(eks):
    role = "arn:aws:iam::1:role/hub"
    settings = {"cluster": EKS_CLUSTER, "region": "eu-west-1", "role_arn": role}
    assert await who(EKSBackend(cluster_name="a", **settings)) == "aws:ASIAROLE"


async def test_a_token_for_another_cluster_is_refused_and_explained(eks):
    backend = EKSBackend(cluster_name="a", cluster="other", region="eu-west-1")
    with pytest.raises(Unauthorized, match="access entry"):
        await who(backend)


async def test_wrong_keys_are_refused(eks, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    backend = EKSBackend(cluster_name="a", cluster=EKS_CLUSTER, region="eu-west-1")
    with pytest.raises(Unauthorized):
        await who(backend)


async def test_googles_opaque_token_is_accepted(google, tmp_path):
    file = write(tmp_path / "user.json", authorized_user())
    settings = {"project": "p", "location": "l", "cluster": "c", "credentials_file": file}
    assert await who(GKEBackend(cluster_name="a", **settings)) == "hub@example.test"


async def test_entras_jwt_is_accepted_by_the_api_servers_own_authenticator(azure):
    settings = {"subscription": "s", "resource_group": "g", "cluster": "c"}
    assert await who(AKSBackend(cluster_name="a", **settings)) == "entra:object-id"


async def test_digitaloceans_token_is_accepted_and_renewed_when_it_was_revoked(cloud, server):
    server.authenticator.tokens = {"k8s-secret-2": "team-member"}
    backend = DOKSBackend(cluster_name="a", cluster=UUID)
    client = await client_of(backend)
    assert await client.whoami() == "team-member"
    assert cloud.made == 2
    assert client.requests == 2, "refused once, repeated once"
    await client.close()
    await backend.close()
