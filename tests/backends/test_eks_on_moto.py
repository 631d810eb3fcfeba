"""The EKS backend against moto's EKS and STS: a fake of AWS that others wrote and keep true.

What moto tells as endpoint and CA is replaced by those of a server on loopback.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.backends import get_backend
from moto.server import ThreadedMotoServer

from mcks.backends.eks import EKSBackend
from mcks.errors import ConfigError
from tests.backends.reading import bearer, read_pod
from tests.fakes.loopback import FakeAPIServer

_ACCOUNT, _REGION = "123456789012", "eu-west-1"


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def cluster(moto_url: str, server: FakeAPIServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The cluster ``hub`` as moto keeps it; what is changed there is what EKS answers."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    eks = boto3.client("eks", region_name=_REGION)
    role = f"arn:aws:iam::{_ACCOUNT}:role/cluster"
    eks.create_cluster(name="hub", roleArn=role, resourcesVpcConfig={})
    found = get_backend("eks")[_ACCOUNT][_REGION].clusters["hub"]
    found.endpoint = server.url + "/"
    found.certificate_authority = {"data": base64.b64encode(server.ca_data).decode()}
    yield found
    eks.delete_cluster(name="hub")


def backend_for(**settings: Any) -> EKSBackend:
    return EKSBackend(cluster_name="west", **({"region": _REGION, "cluster": "hub"} | settings))


@pytest.mark.usefixtures("cluster")
async def test_a_cluster_is_found_and_an_object_is_read(server: FakeAPIServer) -> None:
    assert await read_pod(backend_for())
    assert bearer(server).startswith("k8s-aws-v1.")


@pytest.mark.usefixtures("cluster")
async def test_the_arn_that_eks_gives_is_understood() -> None:
    arn = boto3.client("eks", region_name=_REGION).describe_cluster(name="hub")["cluster"]["arn"]
    assert await read_pod(backend_for(cluster=arn, region=""))


@pytest.mark.usefixtures("cluster")
async def test_an_unknown_cluster_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"EKS 'hubb'.*no such cluster"):
        await read_pod(backend_for(cluster="hubb"))


async def test_a_cluster_that_is_being_created_is_a_config_error(cluster: Any) -> None:
    cluster.status = "CREATING"
    with pytest.raises(ConfigError, match="status is CREATING, not ACTIVE"):
        await read_pod(backend_for())


@pytest.mark.usefixtures("cluster")
async def test_a_role_is_assumed_and_signs_the_token(server: FakeAPIServer) -> None:
    await read_pod(backend_for(role_arn=f"arn:aws:iam::{_ACCOUNT}:role/hub", external_id="ext"))
    encoded = bearer(server).removeprefix("k8s-aws-v1.")
    url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    assert "X-Amz-Credential=ASIA" in url, "moto's keys of roles begin as AWS' do"
    assert "X-Amz-Security-Token=" in url
