"""The EKS backend: AWS and the API server on loopback, the real botocore between."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mcks.backends.eks import EKSBackend
from mcks.backends.registry import backend_class
from mcks.errors import ConfigError, Unauthorized, Unreachable
from tests.backends.reading import REF, bearer, client_of, read_pod
from tests.fakes.aws import SECRETS, FakeAWS
from tests.fakes.loopback import FakeAPIServer


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS[0])


@pytest.fixture
async def aws(monkeypatch: pytest.MonkeyPatch, server: FakeAPIServer) -> AsyncIterator[FakeAWS]:
    async with FakeAWS().running() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        aws.add_cluster("hub", server.ca_data, server.url)
        yield aws


def backend_for(**settings: Any) -> EKSBackend:
    return EKSBackend(cluster_name="west", **({"region": "eu-west-1", "cluster": "hub"} | settings))


def signed_query(headers: Mapping[str, str]) -> dict[str, str]:
    encoded = headers["Authorization"].removeprefix("Bearer k8s-aws-v1.")
    url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    return {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}


async def test_it_is_installed_as_eks() -> None:
    assert backend_class("eks") is EKSBackend


async def test_a_cluster_is_found_and_an_object_is_read(
    aws: FakeAWS, server: FakeAPIServer
) -> None:
    backend = backend_for()
    assert backend.problems() == []
    assert await read_pod(backend)
    assert aws.calls == ["DescribeCluster"], "a token needs no call"
    assert signed_query(server.headers[-1])["X-Amz-Credential"].startswith("AKIAUSER/")


async def test_an_arn_holds_name_and_region(aws: FakeAWS) -> None:
    arn = "arn:aws:eks:eu-west-1:123456789012:cluster/hub"
    assert await read_pod(backend_for(cluster=arn, region=""))


async def test_a_role_is_used_for_finding_and_for_the_token(
    aws: FakeAWS, server: FakeAPIServer
) -> None:
    await read_pod(backend_for(role_arn="arn:aws:iam::2:role/hub", external_id="ext"))
    assert aws.signed_with[aws.calls.index("DescribeCluster")] == "ASIAROLE"
    assert signed_query(server.headers[-1])["X-Amz-Credential"].startswith("ASIAROLE/")


async def test_several_cas_are_all_trusted(aws: FakeAWS, server: FakeAPIServer) -> None:
    other = FakeAPIServer().ca_data
    aws.add_cluster("hub", other + server.ca_data, server.url)
    assert await read_pod(backend_for())


async def test_a_ca_rotated_by_eks_is_learned_by_the_living_client(
    aws: FakeAWS, server: FakeAPIServer
) -> None:
    aws.add_cluster("hub", FakeAPIServer().ca_data, server.url)
    backend = backend_for()
    client = await client_of(backend)
    aws.add_cluster("hub", server.ca_data, server.url)
    assert await client.get(REF)
    assert aws.calls == ["DescribeCluster", "DescribeCluster"]
    await client.close()
    await backend.close()


async def test_a_rotated_ca_is_looked_for_once_a_minute_at_most(
    aws: FakeAWS, server: FakeAPIServer
) -> None:
    aws.add_cluster("hub", FakeAPIServer().ca_data, server.url)
    backend = backend_for()
    client = await client_of(backend)
    for _ in range(3):
        with pytest.raises(Unreachable, match="certificate was refused"):
            await client.get(REF)
    assert aws.calls == ["DescribeCluster", "DescribeCluster"]
    await client.close()
    await backend.close()


@pytest.mark.parametrize("status", ["CREATING", "DELETING", "FAILED", "PENDING"])
async def test_a_cluster_that_does_not_serve_is_a_config_error_with_its_status(
    aws: FakeAWS, status: str
) -> None:
    aws.clusters["hub"]["status"] = status
    with pytest.raises(ConfigError, match=rf"cluster 'west' \(EKS 'hub' in eu-west-1\).*{status}"):
        await read_pod(backend_for())


async def test_a_cluster_that_is_being_updated_serves(aws: FakeAWS) -> None:
    aws.clusters["hub"]["status"] = "UPDATING"
    assert await read_pod(backend_for())


async def test_a_ca_that_is_nonsense_is_a_config_error(aws: FakeAWS) -> None:
    aws.clusters["hub"]["certificateAuthority"]["data"] = "a"
    with pytest.raises(ConfigError, match="not base64"):
        await read_pod(backend_for())


async def test_a_401_names_the_iam_identity_that_has_no_access_entry(
    aws: FakeAWS, server: FakeAPIServer
) -> None:
    server.tokens = set()
    with pytest.raises(Unauthorized, match=r"assumed-role/hub/mcks.*access entry"):
        await read_pod(backend_for())


async def test_a_private_endpoint_is_named_when_it_is_out_of_reach(
    aws: FakeAWS, unused_tcp_port: int
) -> None:
    network: dict[str, Any] = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
    url = f"https://127.0.0.1:{unused_tcp_port}"
    aws.add_cluster("hub", FakeAPIServer().ca_data, url, resourcesVpcConfig=network)
    with pytest.raises(Unreachable, match="endpointPublicAccess is false"):
        await read_pod(backend_for())
    network |= {"endpointPublicAccess": True, "publicAccessCidrs": ["192.0.2.0/24"]}
    with pytest.raises(Unreachable, match=r"admits only 192\.0\.2\.0/24"):
        await read_pod(backend_for())


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"cluster": ""}, "set cluster to the name or ARN"),
        ({"external_id": "x"}, "external_id needs role_arn"),
        ({"cluster": "arn:aws:eks:us-east-1:1:cluster/hub"}, "but the ARN in cluster says"),
    ],
)
async def test_wrong_settings_are_told_offline_and_online(
    settings: dict[str, Any], problem: str
) -> None:
    backend = backend_for(**settings)
    assert problem in backend.problems()[0]
    assert backend.problems()[0].startswith("cluster 'west': ")
    with pytest.raises(ConfigError, match=problem):
        await backend.endpoint()


async def test_a_missing_sdk_is_told_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert "pip install 'mcks[eks]'" in backend_for().problems()[0]


async def test_the_identity_is_named() -> None:
    assert backend_for().identity() == "the hub's AWS identity"
    assert backend_for(profile="p").identity() == "the AWS profile 'p'"
    assert backend_for(role_arn="arn:r").identity() == "the role arn:r"


async def test_an_outposts_id_goes_into_the_token_instead_of_the_name(
    aws: FakeAWS, server: FakeAPIServer
) -> None:
    by_name, by_id = backend_for(), backend_for(cluster_id="1234-5678")
    await read_pod(by_name)
    first = signed_query(server.headers[-1])
    await read_pod(by_id)
    second = signed_query(server.headers[-1])
    assert first["X-Amz-Signature"] != second["X-Amz-Signature"]


async def test_nothing_secret_is_logged_or_shown(
    aws: FakeAWS, server: FakeAPIServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.tokens = set()
    backend = backend_for(role_arn="arn:aws:iam::2:role/hub")
    with pytest.raises(Unauthorized) as failure:
        await read_pod(backend)
    token = bearer(server)
    shown = caplog.text + str(failure.value) + repr(failure.value) + repr(await backend.endpoint())
    assert not any(secret in shown for secret in [*SECRETS, token])
