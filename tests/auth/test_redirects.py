"""Whoever answers a log-in with a redirect gets no secret sent to another place by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mcks.auth import aws, azure, google
from mcks.errors import AuthError, MCKSError, Unreachable
from tests.fakes.aws import SECRETS as AWS_SECRETS
from tests.fakes.aws import FakeAWS
from tests.fakes.azure import CLIENT, TENANT, FakeAzure
from tests.fakes.elsewhere import elsewhere, redirect
from tests.fakes.google import FakeGoogle, authorized_user, external_account, write

STATUSES = [302, 307, 308]
SCOPE = f"{azure.AKS_SERVER_ID}/.default"


@pytest.fixture
async def other() -> AsyncIterator[str]:
    async with elsewhere() as origin:
        yield origin


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("kind", ["authorized_user", "external_account"])
async def test_googles_token_endpoints(
    other: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, status: int
) -> None:
    (tmp_path / "jwt").write_text("subject-token")
    info = (
        authorized_user() if kind == "authorized_user" else external_account(str(tmp_path / "jwt"))
    )
    login = google.Login(write(tmp_path / "file.json", info))
    async with FakeGoogle().running(monkeypatch, tmp_path) as cloud:
        cloud.errors += [lambda: redirect(status, other)] * 9
        with pytest.raises(Unreachable, match=f"HTTP status {status}: no redirect is followed"):
            await google.log_in(login)


@pytest.mark.parametrize("status", STATUSES)
async def test_entra(
    other: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int
) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "secret-of-the-application")
    async with FakeAzure().running(monkeypatch, tmp_path) as cloud:
        cloud.errors += [lambda: redirect(status, other)] * 9
        with pytest.raises(AuthError):
            await azure.access_token(azure.Login(), SCOPE)


@pytest.mark.parametrize("status", STATUSES)
async def test_sts_and_eks(other: str, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AWS_SECRETS[0])
    login = aws.Login(region="eu-west-1")
    async with FakeAWS().running() as cloud:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
        for call in ("GetCallerIdentity", "DescribeCluster"):
            cloud.errors[call] = lambda: redirect(status, other)
        with pytest.raises(MCKSError):
            await aws.call(login, "eks", "describe_cluster", name="c")
        assert "DescribeCluster" in cloud.calls
        with pytest.raises(MCKSError):
            await aws.caller_arn(login)
        assert "GetCallerIdentity" in cloud.calls
