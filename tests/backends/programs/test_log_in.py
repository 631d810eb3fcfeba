"""The identity that a stanza asks for is the one that logs in: real SDKs, clouds on loopback."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from mcks.auth.azure import AKS_SERVER_ID
from mcks.backends.native import NativeLogIn
from mcks.backends.stanzas import recognise
from mcks.errors import AuthError
from tests.backends.exec_stanzas import BETA, user
from tests.fakes.aws import SECRETS as AWS_SECRETS
from tests.fakes.azure import CLIENT, TENANT, FakeAzure
from tests.fakes.azure import SECRETS as AZURE_SECRETS
from tests.fakes.digitalocean import FakeDigitalOcean
from tests.fakes.google import SECRETS as GOOGLE_SECRETS
from tests.fakes.google import FakeGoogle, authorized_user
from tests.fakes.google import write as write_file

UUID = "0d3db13e-a604-4944-9827-7ec2642d32ac"
EXEC_CREDENTIAL = ("kubernetes", "cluster", "kubeconfig", "exec-credential", "--version=v1beta1")
KUBELOGIN = ("get-token", "--server-id", AKS_SERVER_ID)


def log_in_of(command: str, *args: str, **env: str) -> NativeLogIn:
    """Recognise a stanza in this process, as the hub does."""
    variables = [{"name": name, "value": value} for name, value in env.items()]
    stanza = {"apiVersion": BETA, "command": command, "args": [*args], "env": variables}
    found = recognise(user({"exec": stanza}))
    assert found is not None
    return found


async def test_doctls_token_of_the_stanza_is_not_the_hubs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", "the-hubs")
    async with FakeDigitalOcean().running(monkeypatch, tmp_path) as cloud:
        assert isinstance(cloud, FakeDigitalOcean)
        cloud.api_tokens = {"the-stanzas"}
        cloud.add_cluster(UUID, "hub", b"", "https://a.example.org")
        args = (*EXEC_CREDENTIAL, "--context=default", UUID)
        made = await log_in_of("doctl", *args, DIGITALOCEAN_ACCESS_TOKEN="the-stanzas").mint()
        assert made.token == "k8s-secret-1"
        cloud.api_tokens = set()
        with pytest.raises(AuthError, match="put another one into the kubeconfig"):
            await log_in_of("doctl", *args, DIGITALOCEAN_ACCESS_TOKEN="the-stanzas").mint()


async def test_googles_file_of_the_stanza_is_not_the_hubs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "the-hubs.json"))
    path = write_file(tmp_path / "user.json", authorized_user())
    log_in = log_in_of(
        "gke-gcloud-auth-plugin",
        "--use_application_default_credentials",
        GOOGLE_APPLICATION_CREDENTIALS=path,
    )
    async with FakeGoogle().running(monkeypatch, tmp_path):
        assert (await log_in.mint()).token == GOOGLE_SECRETS[0]


async def test_a_profile_that_is_an_argument_signs_and_not_the_keys_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "credentials"
    lines = ("[p]", "aws_access_key_id = AKIAPROFILE", f"aws_secret_access_key = {AWS_SECRETS[0]}")
    file.write_text("\n".join(lines))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    args = ("eks", "get-token", "--cluster-name", "hub", "--region", "eu-west-1")
    keys = {"AWS_ACCESS_KEY_ID": "AKIASTANZA", "AWS_SECRET_ACCESS_KEY": "other"}
    assert "AKIAPROFILE" in await signed_by(log_in_of("aws", *args, "--profile", "p", **keys))
    assert "AKIASTANZA" in await signed_by(log_in_of("aws", *args, AWS_PROFILE="p", **keys))


async def signed_by(log_in: NativeLogIn) -> str:
    token = (await log_in.mint()).token or ""
    return base64.urlsafe_b64decode(token.removeprefix("k8s-aws-v1.") + "==").decode()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ((), {"client_id": CLIENT}),
        (("--client-id", "machine"), {"client_id": "machine"}),
        (("--identity-resource-id", "/x/y"), {"msi_res_id": "/x/y"}),
        (("--disable-environment-override",), {}),
    ],
)
async def test_msi_is_a_managed_identity_though_the_hub_has_a_workload_identity(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    more: tuple[str, ...],
    expected: dict[str, str],
) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/nobody/reads/this")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/")
    async with FakeAzure().running(monkeypatch, tmp_path) as cloud:
        assert isinstance(cloud, FakeAzure)
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", cloud.url)
        made = await log_in_of("kubelogin", *KUBELOGIN, "-l", "msi", *more).mint()
        assert made.token == AZURE_SECRETS[3]
        (form,) = cloud.forms
        assert {name: form[name] for name in {"client_id", "msi_res_id"} & form.keys()} == expected


async def test_entras_application_of_the_stanza_is_not_the_hubs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", "the-hubs")
    monkeypatch.setenv("AZURE_CLIENT_ID", "the-hubs")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "the-hubs")
    names = {"ARM_TENANT_ID": TENANT, "ARM_CLIENT_ID": CLIENT, "ARM_CLIENT_SECRET": "arms"}
    log_in = log_in_of("kubelogin", *KUBELOGIN, "-lspn", "--use-azurerm-env-vars", **names)
    async with FakeAzure().running(monkeypatch, tmp_path) as cloud:
        assert isinstance(cloud, FakeAzure)
        assert (await log_in.mint()).token == AZURE_SECRETS[3]
        assert f"/{TENANT}/" in cloud.calls[-1]
        assert (cloud.forms[-1]["client_id"], cloud.forms[-1]["client_secret"]) == (CLIENT, "arms")
