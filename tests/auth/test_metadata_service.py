"""Metadata services are asked past every proxy: real SDKs, and a proxy that answers for itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from mcks.auth import aws, azure, google
from mcks.auth.metadata_service import is_metadata_service
from mcks.errors import AuthError
from tests.fakes.aws import SECRETS as AWS_SECRETS
from tests.fakes.aws import FakeAWS, sts_error
from tests.fakes.azure import SECRETS as AZURE_SECRETS
from tests.fakes.azure import FakeAzure
from tests.fakes.google import SECRETS as GOOGLE_SECRETS
from tests.fakes.google import FakeGoogle, external_account, write


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/api/token",
        "http://169.254.170.2/v2/credentials",
        "http://169.254.170.23/v1/credentials",
        "http://[fd00:ec2::254]/latest",
        "http://[fd00:ec2::23]/v1/credentials",
        "http://[fd20:ce::254]/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://metadata.google.internal.:80/",
        "http://metadata/",
        "http://localhost:40342/metadata",
        "http://metadata.example.org:8080/",
    ],
)
def test_the_addresses_of_metadata_services_are_known(url: str) -> None:
    assert is_metadata_service(url, {"GCE_METADATA_HOST": "metadata.example.org:8080"})


@pytest.mark.parametrize(
    "url",
    [
        "https://oauth2.googleapis.com/token",
        "https://sts.amazonaws.com/",
        "http://10.0.0.1/",
        "https://metadata.example.org/",
    ],
)
def test_other_addresses_are_none(url: str) -> None:
    assert not is_metadata_service(url, {})


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """A proxy for plain HTTP that refuses all; what it was asked."""
    asked: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode())
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, address)
    yield asked
    server.close()


async def test_the_instance_role_of_aws(proxy: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeAWS().running() as cloud:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"{cloud.url}/")
        assert (await aws.eks_token(aws.Login("eu-west-1"), "hub")).token
        assert cloud.calls == ["imds token", "imds", "imds"]
    assert proxy == []


async def test_pod_identity_of_aws(
    proxy: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with FakeAWS().running() as cloud:
        _pod_identity(cloud, monkeypatch, tmp_path)
        assert (await aws.eks_token(aws.Login("eu-west-1"), "hub")).token
    assert proxy == []


def _pod_identity(cloud: FakeAWS, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "token").write_text(AWS_SECRETS[3])
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{cloud.url}/v1/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(folder / "token"))


async def test_googles_metadata_server(
    proxy: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with FakeGoogle().running(monkeypatch, tmp_path) as cloud:
        host = cloud.url.removeprefix("http://")
        monkeypatch.setenv("GCE_METADATA_HOST", host)
        # google-auth reads the variable when it is imported.
        monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", host)
        assert (await google.log_in(google.Login())).credential.token == GOOGLE_SECRETS[0]
    assert proxy == []


async def test_a_managed_identity_of_azure(
    proxy: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with FakeAzure().running(monkeypatch, tmp_path) as cloud:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", cloud.url)
        login = azure.Login("managed-identity")
        found = await azure.access_token(login, f"{azure.AKS_SERVER_ID}/.default")
        assert found.token == AZURE_SECRETS[3]
    assert proxy == []


def _from_aws(cloud: FakeAWS) -> dict[str, Any]:
    """A file for workload identity federation, as gcloud makes it for a hub in AWS."""
    metadata = f"{cloud.url}/latest"
    source = {
        "environment_id": "aws1",
        "region_url": f"{metadata}/meta-data/placement/availability-zone",
        "url": f"{metadata}/meta-data/iam/security-credentials",
        "imdsv2_session_token_url": f"{metadata}/api/token",
        "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
    }
    subject = {"subject_token_type": "urn:ietf:params:aws:token-type:aws4_request"}
    return external_account("") | subject | {"credential_source": source}


def _signed_with(form: dict[str, Any]) -> str:
    headers = json.loads(unquote(form["subject_token"]))["headers"]
    return str(next(h["value"] for h in headers if h["key"].lower() == "authorization"))


async def test_a_hub_on_a_machine_of_aws_logs_in_to_google(
    proxy: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    async with FakeAWS().running() as cloud, FakeGoogle().running(monkeypatch, tmp_path) as of:
        path = write(tmp_path / "wif.json", _from_aws(cloud))
        assert (await google.log_in(google.Login(path))).credential.token == GOOGLE_SECRETS[0]
        assert isinstance(of, FakeGoogle)
        assert "ASIAROLE/" in _signed_with(of.forms[0])
    assert proxy == []


async def test_a_hub_on_eks_with_pod_identity_logs_in_to_google(
    proxy: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    async with FakeAWS().running() as cloud, FakeGoogle().running(monkeypatch, tmp_path) as of:
        _pod_identity(cloud, monkeypatch, tmp_path)
        path = write(tmp_path / "wif.json", _from_aws(cloud))
        assert (await google.log_in(google.Login(path))).credential.token == GOOGLE_SECRETS[0]
        assert cloud.calls == ["pod identity"], "not the machine's role"
        assert isinstance(of, FakeGoogle)
        assert "ASIAROLE/" in _signed_with(of.forms[0])
    assert proxy == []


async def test_a_hub_on_eks_with_irsa_logs_in_to_google(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "jwt").write_text("token of the pod")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/hub")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "jwt"))
    async with FakeAWS().running() as cloud, FakeGoogle().running(monkeypatch, tmp_path):
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
        path = write(tmp_path / "wif.json", _from_aws(cloud))
        assert (await google.log_in(google.Login(path))).credential.token == GOOGLE_SECRETS[0]
        assert cloud.calls == ["AssumeRoleWithWebIdentity"]


async def test_what_aws_refuses_on_the_way_to_google_is_told_in_awss_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "jwt").write_text("token of the pod")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/hub")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "jwt"))
    async with FakeAWS().running() as cloud:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
        cloud.errors["AssumeRoleWithWebIdentity"] = sts_error(403, "AccessDenied", "no")
        path = write(tmp_path / "wif.json", _from_aws(cloud))
        with pytest.raises(AuthError, match=r"find the hub's keys: AssumeRoleWith.*trust policy"):
            await google.log_in(google.Login(path))
