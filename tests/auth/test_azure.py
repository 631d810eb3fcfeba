"""Entra log-ins: the real azure-identity against Entra on loopback."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from mcks.auth.azure import AKS_SERVER_ID, Login, access_token
from mcks.errors import AuthError, ConfigError, MissingDependency, Unreachable
from tests.fakes.azure import CLIENT, SECRETS, TENANT, FakeAzure

SCOPE = f"{AKS_SERVER_ID}/.default"
TOKEN_PATH = f"/{TENANT}/oauth2/v2.0/token"


@pytest.fixture
async def azure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[FakeAzure]:
    async with FakeAzure().running(monkeypatch, tmp_path) as azure:
        yield azure


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, application: None) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRETS[0])


async def test_a_client_secret_from_the_environment(azure: FakeAzure, secret: None) -> None:
    made = await access_token(Login(), SCOPE)
    assert made.token == SECRETS[3]
    assert made.expires_at == pytest.approx(time.time() + 3600, abs=10)
    assert azure.calls == [f"POST login.microsoftonline.com{TOKEN_PATH}"]
    assert azure.forms[0]["client_secret"] == SECRETS[0]
    assert azure.forms[0]["scope"] == SCOPE


async def test_a_certificate_from_the_environment(
    azure: FakeAzure, application: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    issued = azure.ca.issue_cert("hub@example.test", key_type=trustme.KeyType.RSA)
    file = tmp_path / "app.pem"
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    file.write_bytes(issued.private_key_pem.bytes() + chain)
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(file))
    assert (await access_token(Login(), SCOPE)).token == SECRETS[3]
    assert azure.forms[0]["client_assertion"]


async def test_workload_identity(
    azure: FakeAzure, application: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "jwt").write_text(SECRETS[1])
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "jwt"))
    assert (await access_token(Login(), SCOPE)).token == SECRETS[3]
    assert azure.forms[0]["client_assertion"] == SECRETS[1]
    (tmp_path / "jwt").write_text("rotated")
    await access_token(Login(), SCOPE)
    assert azure.forms[1]["client_assertion"] == "rotated"


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        (Login(), {}),
        (Login(client_id=CLIENT), {"client_id": CLIENT}),
        (Login("managed-identity", identity_resource_id="/x/y"), {"msi_res_id": "/x/y"}),
    ],
)
async def test_managed_identity_by_the_metadata_service(
    azure: FakeAzure, monkeypatch: pytest.MonkeyPatch, login: Login, expected: dict[str, str]
) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", azure.url)
    assert (await access_token(login, SCOPE)).token == SECRETS[3]
    form = azure.forms[-1]
    assert form["resource"] == AKS_SERVER_ID
    assert expected.items() <= form.items()


WEBHOOK = {
    "AZURE_TENANT_ID": TENANT,
    "AZURE_CLIENT_ID": CLIENT,
    "AZURE_FEDERATED_TOKEN_FILE": "/nobody/reads/this",
    "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
}
"""What the workload identity webhook sets in the hub's pod."""


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        (Login("managed-identity"), {"client_id": CLIENT}),
        (Login("managed-identity", client_id="machine"), {"client_id": "machine"}),
        (Login("managed-identity", identity_resource_id="/x/y"), {"msi_res_id": "/x/y"}),
        (Login("managed-identity", from_environment=False), {}),
    ],
)
async def test_a_managed_identity_stays_one_beside_a_workload_identity(
    azure: FakeAzure, monkeypatch: pytest.MonkeyPatch, login: Login, expected: dict[str, str]
) -> None:
    for name, value in WEBHOOK.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", azure.url)
    assert (await access_token(login, SCOPE)).token == SECRETS[3]
    asked = {"client_id", "msi_res_id"} & azure.forms[-1].keys()
    assert {name: azure.forms[-1][name] for name in asked} == expected


async def test_the_environment_can_be_left_alone(secret: None) -> None:
    with pytest.raises(ConfigError, match=r"tenant_id is missing: set it$"):
        await access_token(Login("environment", from_environment=False), SCOPE)


async def test_what_the_login_says_wins_over_the_environment(
    azure: FakeAzure, secret: None
) -> None:
    login = Login("client-secret", tenant_id="other", client_id="mine", client_secret="own")
    await access_token(login, SCOPE)
    assert azure.calls == ["POST login.microsoftonline.com/other/oauth2/v2.0/token"]
    assert (azure.forms[0]["client_id"], azure.forms[0]["client_secret"]) == ("mine", "own")


@pytest.mark.parametrize("host", ["login.microsoftonline.us", "login.chinacloudapi.cn"])
async def test_sovereign_clouds_log_in_at_their_own_host(
    azure: FakeAzure, secret: None, host: str
) -> None:
    await access_token(Login(authority=host), SCOPE)
    assert azure.calls == [f"POST {host}{TOKEN_PATH}"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("AADSTS7000215: Invalid client secret provided.", "The client secret is wrong: set AZURE"),
        ("AADSTS7000222: The provided client secret keys are expired.", "has expired"),
        ("AADSTS700016: Application not found.", "no such application in this tenant: set"),
        (
            "AADSTS700213: No matching federated identity record.",
            "a federated credential with",
        ),
        ("AADSTS90002: Tenant not found.", "no such tenant: set tenant_id"),
        ("AADSTS1: Something else.", "Something else"),
    ],
)
async def test_refusals_carry_entras_words_and_a_hint(
    azure: FakeAzure, secret: None, text: str, hint: str
) -> None:
    azure.entra_error = f"{text} Trace ID: 1 Correlation ID: 2"
    with pytest.raises(AuthError, match=hint) as failure:
        await access_token(Login(), SCOPE)
    assert text.partition(":")[0] in str(failure.value)
    assert "Trace ID" not in str(failure.value)


async def test_a_machine_without_an_identity_says_what_to_do(
    azure: FakeAzure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", azure.url)
    azure.entra_error = "Identity not found"
    with pytest.raises(AuthError, match="Workload Identity"):
        await access_token(Login(), SCOPE)


async def test_an_entra_that_is_away_is_unreachable(
    secret: None, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(Unreachable, match="environment"):
        await access_token(Login(), SCOPE)


async def test_an_entra_that_fails_is_tried_again(azure: FakeAzure, secret: None) -> None:
    azure.errors.append(lambda: web.json_response({}, status=503))
    assert (await access_token(Login(), SCOPE)).token
    assert len(azure.calls) == 2


async def test_an_entra_that_is_silent_is_given_up(
    azure: FakeAzure, secret: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcks.auth.azure._DEADLINE", 0.001)
    with pytest.raises(Unreachable, match="no token within"):
        await access_token(Login(), SCOPE)


@pytest.mark.parametrize(
    ("login", "message"),
    [
        (Login("browser"), "'browser' is not one of auto"),
        (Login("client-secret"), "set it, or AZURE_TENANT_ID"),
        (Login("workload-identity", tenant_id="t"), "set it, or AZURE_CLIENT_ID"),
        (Login("workload-identity", "t", "c"), "set it, or AZURE_FEDERATED_TOKEN_FILE"),
        (Login("certificate", "t", "c", certificate_file="/gone"), "certificate"),
        (Login("client-secret", "bad tenant!", "c", client_secret="s"), "tenant"),
    ],
)
async def test_a_wrong_login_is_a_config_error(login: Login, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        await access_token(login, SCOPE)


async def test_a_missing_sdk_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "azure.identity.aio", None)
    with pytest.raises(MissingDependency, match=r"pip install 'mcks\[aks\]'"):
        await access_token(Login(), SCOPE)


async def test_nothing_secret_is_logged_or_shown(
    azure: FakeAzure, secret: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    login = Login(client_secret=SECRETS[0])
    made = await access_token(login, SCOPE)
    azure.entra_error = "AADSTS1: no"
    with pytest.raises(AuthError) as failure:
        await access_token(login, SCOPE)
    shown = caplog.text + repr(made) + repr(login) + str(failure.value)
    assert not any(secret in shown for secret in SECRETS)
