"""Every error that AWS is known to give: what it tells the administrator, and what it hides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from mcks.backends.eks import EKSBackend
from mcks.errors import AuthError
from tests.backends.eks_errors import AT_START, KEYS, PROFILE, ROLE, SESSION, without_keys
from tests.backends.reading import put_pod
from tests.backends.refusals import (
    CANNOT_LOG_IN,
    Case,
    SecretScan,
    World,
    check_page,
    check_words,
    meet,
)
from tests.fakes.aws import SECRETS, FakeAWS
from tests.fakes.loopback import FakeAPIServer


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that botocore would wait before it tries again; here it does not."""
    made: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=made.append))
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
    return made


@pytest.fixture
async def world(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unused_tcp_port: int
) -> AsyncIterator[World]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS[0])
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)
    async with FakeAPIServer().running() as server, FakeAWS().running() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        put_pod(server)
        aws.add_cluster("hub", server.ca_data, server.url)
        yield World(aws, server, monkeypatch, tmp_path, unused_tcp_port)


def backend_in(world: World, **settings: Any) -> EKSBackend:
    given = {"region": "eu-west-1", "cluster": "hub"} | settings
    if given.pop("web_identity", False):
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
            world.monkeypatch.delenv(f"AWS_{name}")
        (world.folder / "jwt").write_text(SECRETS[3])
        world.monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
        world.monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(world.folder / "jwt"))
    return EKSBackend(cluster_name="west", **given)


@pytest.mark.parametrize(
    "case", [*AT_START, PROFILE, *KEYS, *(case.later() for case in KEYS)], ids=str
)
async def test_an_error_says_what_to_do_and_shows_no_secret(
    case: Case, world: World, secret_scan: SecretScan
) -> None:
    backend = backend_in(world, **case.settings)
    failure = await meet(case, world, backend)
    check_words(case, failure, "west")
    assert (CANNOT_LOG_IN in str(failure)) == case.renewal
    secrets = [*SECRETS, SESSION, "k8s-aws-v1.", "X-Amz-Signature", "x-amz-security-token"]
    secret_scan.check(secrets, failure, backend, backend._login())


async def test_no_credentials_are_told_at_the_mint_too(
    world: World, secret_scan: SecretScan
) -> None:
    without_keys(world)
    backend = backend_in(world)
    with pytest.raises(AuthError, match=r"'west'.*cannot log in: AWS: make a token: Unable") as no:
        await backend.mint()
    secret_scan.check(SECRETS, no.value, backend)


async def test_a_throttled_call_is_made_three_times_with_pauses(
    world: World, pauses: list[float]
) -> None:
    case = next(case for case in AT_START if case.name == "throttling")
    await meet(case, world, backend_in(world))
    assert world.cloud.calls == ["DescribeCluster"] * 3
    assert len([pause for pause in pauses if pause > 0]) == 2


async def test_a_pause_that_aws_asks_for_is_kept(world: World) -> None:
    headers = {"x-amzn-ErrorType": "ThrottlingException", "Retry-After": "120"}
    body = {"message": "Rate exceeded"}
    world.cloud.errors["DescribeCluster"] = lambda: web.json_response(
        body, status=429, headers=headers
    )
    backend = backend_in(world)
    for _ in range(3):
        with pytest.raises(AuthError, match="Rate exceeded") as caught:
            await backend.connect()
    assert caught.value.retry_after == 120
    assert "Try again in some minutes" in caught.value.jupyterhub_message
    assert len(world.cloud.calls) == 3, "those of the first attempt"
    await backend.close()


def test_the_page_for_administrators_lists_these_errors_and_no_others() -> None:
    check_page("eks.md", [*AT_START, PROFILE, *KEYS])
