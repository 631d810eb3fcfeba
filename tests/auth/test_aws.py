"""EKS tokens and AWS log-ins: the real botocore against AWS on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mcks.auth.aws import Login, call, caller_arn, eks_token
from mcks.auth.aws_errors import Refused
from mcks.errors import AuthError, ConfigError, MissingDependency, Unreachable
from tests.fakes.aws import SECRETS, FakeAWS, sts_error
from tests.fakes.silence import silence

VECTORS = json.loads((Path(__file__).parent / "eks_token_vectors.json").read_text())
LOGIN = Login(region="eu-west-1")


@pytest.fixture
async def aws(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeAWS]:
    async with FakeAWS().running() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        yield aws


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS[0])


def url_in(token: str | None) -> str:
    assert token is not None
    encoded = token.removeprefix("k8s-aws-v1.")
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def query_of(token: str | None) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(urlsplit(url_in(token)).query).items()}


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], float]:
    """Stop the clock that botocore signs with."""

    def stop(token: str) -> float:
        frozen = datetime.fromisoformat(query_of(token)["X-Amz-Date"])

        def now(remove_tzinfo: bool = True) -> datetime:
            return frozen.replace(tzinfo=None) if remove_tzinfo else frozen

        monkeypatch.setattr("botocore.auth.get_current_datetime", now)
        return frozen.timestamp()

    return stop


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
async def test_tokens_are_byte_equal_to_those_of_the_aws_command(
    vector: dict[str, Any], at: Callable[[str], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in vector["environment"].items():
        monkeypatch.setenv(name, value)
    signed_at = at(vector["token"])
    made = await eks_token(Login(region=vector["region"]), vector["cluster"])
    assert made.token == vector["token"]
    assert made.expires_at == signed_at + 14 * 60


async def test_an_endpoint_configured_for_the_hub_does_not_get_into_the_token(
    at: Callable[[str], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    vector = next(v for v in VECTORS if v["name"] == "static keys")
    for name, value in vector["environment"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://vpce.example.test")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "https://vpce-sts.example.test")
    at(vector["token"])
    made = await eks_token(Login(region=vector["region"]), vector["cluster"])
    assert made.token == vector["token"]


async def test_the_legacy_endpoint_can_be_asked_for_by_the_login(keys: None) -> None:
    made = await eks_token(Login(region="eu-west-1", sts_regional_endpoints="legacy"), "hub")
    assert urlsplit(url_in(made.token)).netloc == "sts.amazonaws.com"


async def test_a_token_obeys_the_rules_of_the_verifier(keys: None) -> None:
    made = await eks_token(LOGIN, "hub")
    assert made.token is not None
    url = urlsplit(url_in(made.token))
    query = query_of(made.token)
    assert (url.scheme, url.path) == ("https", "/")
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["Action"] == "GetCallerIdentity"
    assert 0 <= int(query["X-Amz-Expires"]) <= 900
    assert len(made.token) <= 4096


async def test_the_region_of_a_pod_is_known(keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert "sts.eu-west-3." in url_in((await eks_token(Login(), "hub")).token)


async def test_a_role_is_assumed_and_its_keys_end_the_token(aws: FakeAWS, keys: None) -> None:
    aws.life = timedelta(minutes=10)
    login = Login(region="eu-west-1", role_arn="arn:aws:iam::1:role/r", external_id="ext")
    made = await eks_token(login, "hub")
    assert aws.calls == ["AssumeRole"]
    assert aws.signed_with == ["AKIAUSER"]
    assert (aws.forms[0]["RoleArn"], aws.forms[0]["ExternalId"]) == ("arn:aws:iam::1:role/r", "ext")
    assert query_of(made.token)["X-Amz-Credential"].startswith("ASIAROLE/")
    assert made.expires_at == pytest.approx(time.time() + 9 * 60, abs=5)


async def test_irsa(aws: FakeAWS, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "jwt").write_text(SECRETS[3])
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/hub")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "jwt"))
    made = await eks_token(LOGIN, "hub")
    assert aws.calls == ["AssumeRoleWithWebIdentity"]
    assert aws.forms[0]["WebIdentityToken"] == SECRETS[3]
    assert query_of(made.token)["X-Amz-Security-Token"] == SECRETS[1]


async def test_pod_identity(aws: FakeAWS, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRETS[3])
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.url}/v1/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    made = await eks_token(LOGIN, "hub")
    assert aws.calls == ["pod identity"]
    assert query_of(made.token)["X-Amz-Credential"].startswith("ASIAROLE/")


async def test_the_instance_role_by_imdsv2(aws: FakeAWS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"{aws.url}/")
    made = await eks_token(LOGIN, "hub")
    assert aws.calls == ["imds token", "imds", "imds"]
    assert query_of(made.token)["X-Amz-Credential"].startswith("ASIAROLE/")


@pytest.fixture
def shared_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    def write(credentials: str, config: str = "") -> None:
        (tmp_path / "credentials").write_text(credentials)
        (tmp_path / "config").write_text(config)

    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return write


def key_pair(profile: str, key: str) -> str:
    return f"[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = {SECRETS[0]}\n"


async def test_a_profile_is_used_and_rotated_keys_are_seen(
    shared_files: Callable[..., None], keys: None
) -> None:
    login = Login(region="eu-west-1", profile="p")
    shared_files(key_pair("p", "AKIAOLD"))
    assert query_of((await eks_token(login, "h")).token)["X-Amz-Credential"].startswith("AKIAOLD/")
    shared_files(key_pair("p", "AKIANEW"))
    assert query_of((await eks_token(login, "h")).token)["X-Amz-Credential"].startswith("AKIANEW/")


async def test_a_profile_with_a_role_assumes_it(
    aws: FakeAWS, shared_files: Callable[..., None]
) -> None:
    config = "[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = s\n"
    shared_files(key_pair("s", "AKIASOURCE"), config)
    await eks_token(Login(region="eu-west-1", profile="p"), "hub")
    assert aws.calls == ["AssumeRole"]
    assert aws.signed_with == ["AKIASOURCE"]


async def test_a_profile_that_wants_a_one_time_code_is_refused(
    aws: FakeAWS, shared_files: Callable[..., None]
) -> None:
    config = (
        "[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = s\n"
        "mfa_serial = arn:aws:iam::1:mfa/me\n"
    )
    shared_files(key_pair("s", "AKIASOURCE"), config)
    with pytest.raises(ConfigError, match="one-time code"):
        await eks_token(Login(region="eu-west-1", profile="p"), "hub")


async def test_no_credentials_say_what_to_do() -> None:
    with pytest.raises(AuthError, match=r"Unable to locate credentials.*Pod Identity or IRSA"):
        await eks_token(LOGIN, "hub")


async def test_an_unknown_profile_is_a_config_error(shared_files: Callable[..., None]) -> None:
    shared_files("")
    with pytest.raises(ConfigError, match="profile"):
        await eks_token(Login(region="eu-west-1", profile="nope"), "hub")


async def test_a_missing_region_is_a_config_error(keys: None) -> None:
    with pytest.raises(ConfigError, match="region"):
        await eks_token(Login(), "hub")


async def test_a_session_token_that_is_too_long_is_told_at_the_mint(
    keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "x" * 3000)
    with pytest.raises(AuthError, match=r"bytes and EKS takes 4096"):
        await eks_token(LOGIN, "hub")


@pytest.mark.parametrize(
    "code", ["AccessDenied", "InvalidClientTokenId", "ExpiredToken", "SignatureDoesNotMatch"]
)
async def test_refusals_carry_awss_code_and_no_secret(aws: FakeAWS, keys: None, code: str) -> None:
    quoted = f"The Canonical String should have been {SECRETS[0]}"
    message = quoted if code == "SignatureDoesNotMatch" else "not authorized"
    aws.errors["AssumeRole"] = sts_error(403, code, message)
    with pytest.raises(Refused, match=code) as failure:
        await eks_token(Login(region="eu-west-1", role_arn="arn:aws:iam::1:role/r"), "hub")
    assert failure.value.code == code
    assert SECRETS[0] not in repr(failure.value) + str(failure.value)


async def test_an_aws_that_fails_is_unreachable(aws: FakeAWS, keys: None) -> None:
    aws.errors["GetCallerIdentity"] = sts_error(503, "ServiceUnavailable", "later")
    with pytest.raises(Unreachable, match="HTTP status 503"):
        await caller_arn(LOGIN)
    assert len(aws.calls) == 3, "botocore tries three times"


async def test_an_aws_that_is_not_there_is_unreachable(
    keys: None, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(Unreachable, match="Could not connect"):
        await caller_arn(LOGIN)


async def test_an_aws_that_is_silent_is_given_up(
    keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcks.auth.aws._DEADLINE", 0.001)
    with pytest.raises(Unreachable, match="no answer within"):
        await eks_token(LOGIN, "hub")


async def test_a_fault_of_the_sdk_itself_is_an_auth_error_without_its_text(keys: None) -> None:
    with pytest.raises(AuthError, match="botocore failed: AttributeError"):
        await call(LOGIN, "sts", "no_such_operation")


async def test_the_caller_is_known_by_its_arn(aws: FakeAWS, keys: None) -> None:
    assert await caller_arn(LOGIN) == "arn:aws:sts::123456789012:assumed-role/hub/mcks"


async def test_a_missing_sdk_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "botocore", None)
    with pytest.raises(MissingDependency, match=r"pip install 'mcks\[eks\]'"):
        await call(LOGIN, "eks", "describe_cluster", name="x")


async def test_nothing_secret_is_logged_even_at_debug(
    aws: FakeAWS, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "jwt").write_text(SECRETS[3])
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/hub")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "jwt"))
    made = await eks_token(Login(region="eu-west-1", role_arn="arn:aws:iam::1:role/r"), "hub")
    assert aws.calls == ["AssumeRoleWithWebIdentity", "AssumeRole"]
    shown = caplog.text + repr(made)
    assert made.token is not None
    assert not any(secret in shown for secret in [*SECRETS, made.token, "X-Amz-Signature"])


@pytest.fixture
def irsa(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub's identity is an IRSA role."""
    (tmp_path / "jwt").write_text(SECRETS[3])
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/hub")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "jwt"))


@pytest.mark.usefixtures("irsa")
async def test_botocores_own_clients_have_our_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcks.auth.aws._READ", 0.05)
    async with silence() as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        with pytest.raises(Unreachable, match="Read timeout on endpoint URL"):
            await eks_token(LOGIN, "hub")
        assert len(sts.connections) == 3, "tried three times"


@pytest.mark.usefixtures("irsa")
async def test_a_silent_sts_keeps_no_thread_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise AssertionError("files and name lookups of all others go through these threads")

    monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", refuse)
    async with silence() as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        dead = [asyncio.create_task(eks_token(LOGIN, f"hub{n}")) for n in range(4)]
        await sts.heard(4)
        other = Login("eu-west-1", access_key_id="AKIA", secret_access_key=SECRETS[0])
        assert (await eks_token(other, "hub")).token, "another account's is made meanwhile"
        for task in dead:
            task.cancel()


@pytest.mark.usefixtures("keys")
async def test_what_botocore_does_not_even_send_is_told_with_the_reason() -> None:
    reason = r"Invalid length for parameter RoleArn, value: 3.*Correct role_arn"
    with pytest.raises(ConfigError, match=reason):
        await eks_token(Login(region="eu-west-1", role_arn="arn"), "hub")
