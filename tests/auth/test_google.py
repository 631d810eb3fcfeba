"""Google log-ins: the real google-auth against Google on loopback."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mcks.auth.credential import Credential
from mcks.auth.google import SCOPES, Login, log_in
from mcks.errors import AuthError, ConfigError, MissingDependency, Unreachable
from tests.fakes.cloud import Handler
from tests.fakes.google import (
    SECRETS,
    FakeGoogle,
    authorized_user,
    external_account,
    google_error,
    service_account,
    write,
)


@pytest.fixture
async def google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[FakeGoogle]:
    async with FakeGoogle().running(monkeypatch, tmp_path) as google:
        yield google


def claims(assertion: str) -> dict[str, Any]:
    middle = assertion.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


def soon(credential: Credential) -> bool:
    return bool(credential.expires_at == pytest.approx(time.time() + 3600, abs=10))


async def test_a_service_accounts_key(google: FakeGoogle, tmp_path: Path) -> None:
    found = await log_in(Login(write(tmp_path / "key.json", service_account())))
    assert found.credential.token == SECRETS[0]
    assert soon(found.credential)
    asked = claims(google.forms[0]["assertion"])
    assert asked["scope"].split() == list(SCOPES)
    assert google.calls == ["POST oauth2.googleapis.com/token"], "no other lookup"


async def test_the_environment_names_the_file(
    google: FakeGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "key.json", service_account())
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
    assert (await log_in(Login())).credential.token == SECRETS[0]


async def test_gclouds_own_file_is_found(google: FakeGoogle, tmp_path: Path) -> None:
    folder = tmp_path / "home/.config/gcloud"
    folder.mkdir(parents=True)
    write(folder / "application_default_credentials.json", authorized_user())
    found = await log_in(Login())
    assert found.credential.token == SECRETS[0]
    assert found.quota_project == "payer"
    assert google.forms[0]["refresh_token"] == SECRETS[2]
    assert "scope" not in google.forms[0]


async def test_workload_identity_federation_needs_no_other_api(
    google: FakeGoogle, tmp_path: Path
) -> None:
    (tmp_path / "jwt").write_text(SECRETS[3])
    path = write(tmp_path / "wif.json", external_account(str(tmp_path / "jwt")))
    found = await log_in(Login(path))
    assert found.credential.token == SECRETS[0]
    assert google.calls == ["POST sts.googleapis.com/v1/token"]
    assert google.forms[0]["subject_token"] == SECRETS[3]


async def test_workload_identity_federation_with_a_service_account(
    google: FakeGoogle, tmp_path: Path
) -> None:
    (tmp_path / "jwt").write_text(SECRETS[3])
    info = external_account(str(tmp_path / "jwt"), impersonate=True)
    found = await log_in(Login(write(tmp_path / "wif.json", info)))
    assert found.credential.token == SECRETS[1]
    assert [call.split()[1].partition("/")[0] for call in google.calls] == [
        "sts.googleapis.com",
        "iamcredentials.googleapis.com",
    ]


async def test_a_service_account_is_impersonated(google: FakeGoogle, tmp_path: Path) -> None:
    path = write(tmp_path / "key.json", service_account())
    found = await log_in(Login(path, impersonate="other@p.iam.gserviceaccount.com"))
    assert found.credential.token == SECRETS[1]
    assert "serviceAccounts/other@p.iam.gserviceaccount.com" in google.calls[-1]
    assert google.forms[-1]["scope"] == list(SCOPES)


async def test_an_impersonated_service_account_file(google: FakeGoogle, tmp_path: Path) -> None:
    url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/sa@p:generateAccessToken"
    info = {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": url,
        "source_credentials": authorized_user(),
    }
    found = await log_in(Login(write(tmp_path / "file.json", info)))
    assert found.credential.token == SECRETS[1]


async def test_workload_identity_federation_from_aws(
    google: FakeGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS[3])
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    source = {
        "environment_id": "aws1",
        "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity",
    }
    info = external_account("") | {
        "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
        "credential_source": source,
    }
    found = await log_in(Login(write(tmp_path / "wif.json", info)))
    assert found.credential.token == SECRETS[0]
    assert google.calls == ["POST sts.googleapis.com/v1/token"]
    assert SECRETS[3] not in google.forms[0]["subject_token"]


async def test_an_executable_source_runs_only_where_google_auth_allows_it(
    google: FakeGoogle, tmp_path: Path
) -> None:
    source = {"executable": {"command": "/bin/echo x"}}
    info = external_account("") | {"credential_source": source}
    with pytest.raises(AuthError, match="xecutable"):
        await log_in(Login(write(tmp_path / "wif.json", info)))
    assert google.calls == []


async def test_a_person_of_a_workforce_pool(google: FakeGoogle, tmp_path: Path) -> None:
    info = {
        "type": "external_account_authorized_user",
        "audience": "//iam.googleapis.com/locations/global/workforcePools/a/providers/b",
        "refresh_token": SECRETS[2],
        "token_url": "https://sts.googleapis.com/v1/oauthtoken",
        "token_info_url": "https://sts.googleapis.com/v1/introspect",
        "client_id": "c",
        "client_secret": SECRETS[4],
    }
    found = await log_in(Login(write(tmp_path / "user.json", info)))
    assert found.credential.token == SECRETS[0]


async def test_the_metadata_server(google: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
    host = google.url.removeprefix("http://")
    monkeypatch.setenv("GCE_METADATA_HOST", host)
    # google-auth reads the variable when it is imported.
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", host)
    found = await log_in(Login())
    assert found.credential.token == SECRETS[0]
    assert soon(found.credential)


async def test_no_credentials_at_all_say_what_to_do(
    google: FakeGoogle, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{unused_tcp_port}")
    with pytest.raises(AuthError, match=r"no credentials file .*Workload Identity"):
        await log_in(Login())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "is not JSON"),
        ('{"type": "gdch_service_account"}', "of type 'gdch_service_account'; known are"),
        ("[]", "of type None"),
    ],
)
async def test_a_wrong_file_is_a_config_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(ConfigError, match=message):
        await log_in(Login(str(tmp_path / "file.json")))


async def test_a_missing_file_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.json cannot be read: No such file"):
        await log_in(Login(str(tmp_path / "gone.json")))


async def test_a_broken_key_is_an_auth_error(tmp_path: Path) -> None:
    info = service_account() | {"private_key": "PRIVATE"}
    with pytest.raises(AuthError, match=r"key\.json") as failure:
        await log_in(Login(write(tmp_path / "key.json", info)))
    assert "PRIVATE" not in str(failure.value)


@pytest.mark.parametrize(
    ("description", "hint"),
    [
        ("Invalid JWT Signature.", "deleted or disabled"),
        ("Token must be a short-lived token in a reasonable timeframe.", "clock is off"),
        ("Invalid grant: account not found", "account not found"),
    ],
)
async def test_refusals_carry_googles_words_and_a_hint(
    google: FakeGoogle, tmp_path: Path, description: str, hint: str
) -> None:
    from aiohttp import web

    body = {"error": "invalid_grant", "error_description": description}
    google.errors.append(lambda: web.json_response(body, status=400))
    with pytest.raises(AuthError, match=hint) as failure:
        await log_in(Login(write(tmp_path / "key.json", service_account())))
    assert description in str(failure.value)


async def test_a_refused_impersonation_names_the_role(google: FakeGoogle, tmp_path: Path) -> None:
    path = write(tmp_path / "key.json", service_account())
    denied = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource"
    google.handlers["iamcredentials.googleapis.com"] = _answer(
        google_error(403, "PERMISSION_DENIED", denied)
    )
    with pytest.raises(AuthError, match=r"roles/iam\.serviceAccountTokenCreator"):
        await log_in(Login(path, impersonate="other@p.iam.gserviceaccount.com"))


def _answer(response: web.StreamResponse) -> Handler:
    async def give(_request: web.Request) -> web.StreamResponse:
        return response

    return give


async def test_a_google_that_is_away_is_unreachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(Unreachable, match=r"key\.json"):
        await log_in(Login(write(tmp_path / "key.json", service_account())))


async def test_a_google_that_is_silent_is_given_up(
    google: FakeGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcks.auth.google._DEADLINE", 0.001)
    with pytest.raises(Unreachable, match="no token within"):
        await log_in(Login(write(tmp_path / "key.json", service_account())))


async def test_a_fault_of_the_sdk_itself_is_an_auth_error_without_its_text(
    google: FakeGoogle, tmp_path: Path
) -> None:
    info = {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": 5,
        "source_credentials": authorized_user(),
    }
    with pytest.raises(AuthError, match="google-auth failed: AttributeError"):
        await log_in(Login(write(tmp_path / "file.json", info)))


async def test_a_missing_sdk_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "google.auth", None)
    with pytest.raises(MissingDependency, match=r"pip install 'mcks\[gke\]'"):
        await log_in(Login())


async def test_nothing_secret_is_logged_or_shown(
    google: FakeGoogle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "jwt").write_text(SECRETS[3])
    info = external_account(str(tmp_path / "jwt"), impersonate=True)
    found = await log_in(Login(write(tmp_path / "wif.json", info)))
    user = await log_in(Login(write(tmp_path / "user.json", authorized_user())))
    shown = caplog.text + repr(found) + repr(user)
    assert not any(secret in shown for secret in SECRETS)
