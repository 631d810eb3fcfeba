"""Azure's log-in program, as Azure and its own conversion write it into a kubeconfig."""

from __future__ import annotations

import pytest

from mcks.auth import azure
from mcks.backends.programs.kubelogin import AKS
from mcks.backends.stanzas import recognise
from mcks.errors import ConfigError
from tests.backends.exec_stanzas import of_exec, user

SERVER = azure.AKS_SERVER_ID
TENANT = "11111111-2222-3333-4444-555555555555"
PUBLIC = "login.microsoftonline.com"


def entra(*login: str, environment: str = "AzurePublicCloud") -> list[str]:
    return ["get-token", "--environment", environment, "--server-id", SERVER, *login]


@pytest.mark.parametrize("login", ["devicecode", "interactive", "azurecli", "azd"])
def test_a_persons_login_becomes_the_hubs_identity_with_a_warning(login: str) -> None:
    args = entra("--client-id", "80faf920-1908-4b52-b5ef-a8e7bedfc67a", "--tenant-id", TENANT)
    found = of_exec("kubelogin", *args, "--login", login)
    assert isinstance(found, AKS)
    assert found.login == azure.Login(authority=PUBLIC)
    assert found.scope == f"{SERVER}/.default"
    assert login in found.warning


def test_without_a_login_it_is_a_persons() -> None:
    found = of_exec("kubelogin", *entra())
    assert isinstance(found, AKS)
    assert "devicecode" in found.warning


def test_a_service_principal() -> None:
    args = ["--client-id", "c", "--tenant-id", "t", "--client-secret", "SECRET", "-l", "spn"]
    found = of_exec("kubelogin", *entra(*args))
    assert isinstance(found, AKS)
    assert found.login == azure.Login("client-secret", "t", "c", PUBLIC, "SECRET")
    assert not found.warning
    assert "SECRET" not in repr(found)


@pytest.mark.parametrize("old", [True, False])
def test_a_service_principals_secret_in_the_environment(old: bool) -> None:
    prefix = "AAD_SERVICE_PRINCIPAL_CLIENT_" if old else "AZURE_CLIENT_"
    env = {f"{prefix}ID": "c", f"{prefix}SECRET": "s"}
    found = of_exec("kubelogin", *entra("--login=spn", "-t", "t"), **env)
    assert isinstance(found, AKS)
    assert found.login == azure.Login("client-secret", "t", "c", PUBLIC, "s")


def test_a_service_principals_certificate() -> None:
    args = ["--login", "spn", "--client-id", "c", "-t", "t", "--client-certificate", "/c.pem"]
    found = of_exec("kubelogin", *entra(*args))
    assert isinstance(found, AKS)
    expected = azure.Login("certificate", "t", "c", PUBLIC, certificate_file="/c.pem")
    assert found.login == expected


def test_a_service_principal_whose_secret_the_hub_has() -> None:
    found = of_exec("kubelogin", *entra("--login", "spn", "--client-id", "c", "-t", "t"))
    assert isinstance(found, AKS)
    assert found.login == azure.Login("environment", "t", "c", PUBLIC)


def test_managed_identity() -> None:
    args = ["get-token", "--login", "msi", "--server-id", SERVER]
    found = of_exec("kubelogin", *args, "--client-id", "c")
    assert isinstance(found, AKS)
    assert found.login == azure.Login("managed-identity", client_id="c")
    found = of_exec("kubelogin", *args, "--identity-resource-id", "/r")
    assert isinstance(found, AKS)
    assert found.login == azure.Login("managed-identity", identity_resource_id="/r")


def test_workload_identity() -> None:
    args = ["get-token", "--login", "workloadidentity", "--server-id", SERVER]
    found = of_exec("kubelogin", *args)
    assert isinstance(found, AKS)
    assert found.login == azure.Login("workload-identity")
    args += ["--client-id", "c", "--tenant-id", "t", "--federated-token-file", "/jwt"]
    found = of_exec("kubelogin", *args, "--authority-host", f"https://{PUBLIC}/")
    assert isinstance(found, AKS)
    expected = azure.Login("workload-identity", "t", "c", PUBLIC, federated_token_file="/jwt")
    assert found.login == expected


def test_other_clouds_by_the_environments_name() -> None:
    found = of_exec("kubelogin", *entra(environment="azureChinaCloud"))
    assert isinstance(found, AKS)
    assert found.login.authority == "login.chinacloudapi.cn"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--legacy",), "retired v1 endpoint"),
        (("--pop-enabled",), "proof-of-possession"),
        (("--login", "ropc", "--username", "u"), "ropc is not served"),
        (("--login", "azurepipelines"), "azurepipelines is not served"),
        (("--login", "spn", "--authority-host", "https://evil/"), "sent to strangers"),
        (("--environment", "AzureStackCloud"), "AzureStackCloud is not served"),
        (("--login", "spn", "--client-certificate-password", "x"), "take it off"),
    ],
)
def test_what_cannot_be_served_is_refused(args: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        of_exec("kubelogin", "get-token", "--server-id", SERVER, *args)


def test_a_stanza_without_a_server_id_is_refused() -> None:
    with pytest.raises(ConfigError, match="no --server-id"):
        of_exec("kubelogin", "get-token")


def test_another_program_of_the_same_name_is_unknown() -> None:
    args = ["get-token", "--oidc-issuer-url=https://idp", "--oidc-client-id=x"]
    assert of_exec("kubelogin", *args) is None
    assert of_exec("kubelogin", "convert-kubeconfig") is None


@pytest.mark.parametrize(("mode", "prefix"), [("1", ""), ("0", "spn:"), (None, "spn:")])
def test_the_legacy_auth_provider(mode: str | None, prefix: str) -> None:
    config = {"apiserver-id": "app", "environment": "AzurePublicCloud", "tenant-id": "t"}
    config |= {"config-mode": mode} if mode else {}
    found = recognise(user({"auth-provider": {"name": "azure", "config": config}}))
    assert isinstance(found, AKS)
    assert found.scope == f"{prefix}app/.default"
    assert found.warning


@pytest.mark.parametrize(
    ("name", "authority"),
    [
        ("AzureCloud", PUBLIC),
        ("AZUREPUBLIC", PUBLIC),
        ("AzureUSGovernment", "login.microsoftonline.us"),
    ],
)
def test_a_cloud_of_microsoft_has_all_the_names_that_kubelogin_takes(
    name: str, authority: str
) -> None:
    found = of_exec("kubelogin", *entra("--login", "spn", environment=name))
    assert isinstance(found, AKS)
    assert found.login.authority == authority
