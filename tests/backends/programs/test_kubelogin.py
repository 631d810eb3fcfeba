"""Azure's log-in program, as Azure and its own conversion write it into a kubeconfig."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcks.auth import azure
from mcks.backends.programs.kubelogin import AKS
from mcks.backends.stanzas import recognise
from mcks.errors import ConfigError
from tests.backends.exec_stanzas import SECRET, of_exec, of_exec_in, user
from tests.backends.refusals import shown_by

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
    assert found.login == azure.Login(tenant_id=TENANT, authority=PUBLIC)
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
    assert found.identity() == "the hub's Entra identity /r"


WEBHOOK = {
    "AZURE_CLIENT_ID": "hubs",
    "AZURE_TENANT_ID": "hubs-tenant",
    "AZURE_FEDERATED_TOKEN_FILE": "/hubs-jwt",
    "AZURE_AUTHORITY_HOST": f"https://{PUBLIC}/",
}
"""What the workload identity webhook sets in the hub's pod."""


@pytest.mark.parametrize(
    ("more", "env", "hub", "expected"),
    [
        ((), {}, WEBHOOK, {"client_id": "hubs"}),
        (("--client-id", "c"), {}, WEBHOOK, {"client_id": "c"}),
        (("--client-id", "c"), {"AZURE_CLIENT_ID": "e"}, WEBHOOK, {"client_id": "e"}),
        ((), {"AAD_SERVICE_PRINCIPAL_CLIENT_ID": "e"}, {}, {"client_id": "e"}),
        (("--identity-resource-id", "/r"), {}, WEBHOOK, {"identity_resource_id": "/r"}),
        (("--identity-resource-id", "/r", "--client-id", "c"), {}, {}, {"client_id": "c"}),
        (("--use-azurerm-env-vars",), {"ARM_CLIENT_ID": "a"}, WEBHOOK, {"client_id": "a"}),
        (("--disable-environment-override",), {"AZURE_CLIENT_ID": "e"}, WEBHOOK, {}),
    ],
)
def test_a_managed_identity_is_the_one_that_is_asked_for(
    more: tuple[str, ...], env: dict[str, str], hub: dict[str, str], expected: dict[str, str]
) -> None:
    found = of_exec_in(hub, "kubelogin", *entra("-l", "msi"), *more, **env)
    assert isinstance(found, AKS)
    alone = bool({"--use-azurerm-env-vars", "--disable-environment-override"} & set(more))
    assert found.login == azure.Login("managed-identity", from_environment=not alone, **expected)


SECRETLESS = ("--client-id", "flag", "--tenant-id", "flag-tenant")
SPN_ENV = {"AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s", "AZURE_TENANT_ID": "t"}
OLD_ENV = {f"AAD_SERVICE_PRINCIPAL_CLIENT_{name}": f"old-{name}" for name in ("ID", "SECRET")}
ARM_ENV = {"ARM_CLIENT_ID": "ac", "ARM_CLIENT_SECRET": "as", "ARM_TENANT_ID": "at"}


@pytest.mark.parametrize(
    ("more", "env", "hub", "names"),
    [
        # the stanza's variables win over its arguments, the newer name over the older one
        ((*SECRETLESS, "--client-secret", "f"), SPN_ENV, {}, ("c", "t", "s")),
        (SECRETLESS, OLD_ENV, {}, ("old-ID", "flag-tenant", "old-SECRET")),
        (SECRETLESS, OLD_ENV | SPN_ENV, {}, ("c", "t", "s")),
        # Terraform's names count where the stanza says so, and then alone
        (("--use-azurerm-env-vars",), ARM_ENV, SPN_ENV, ("ac", "at", "as")),
        (("--use-azurerm-env-vars", *SECRETLESS), {}, ARM_ENV, ("flag", "flag-tenant", "as")),
        # all variables can be switched off
        (
            ("--disable-environment-override", *SECRETLESS, "--client-secret", "f"),
            SPN_ENV,
            SPN_ENV,
            ("flag", "flag-tenant", "f"),
        ),
        # the hub's fill what the stanza leaves open
        (SECRETLESS, {}, SPN_ENV, ("flag", "flag-tenant", "s")),
        ((), {}, OLD_ENV | {"AZURE_TENANT_ID": "t"}, ("old-ID", "t", "old-SECRET")),
        ((*SECRETLESS, "--client-secret", "f"), {}, SPN_ENV, ("flag", "flag-tenant", "f")),
    ],
)
def test_a_service_principals_names_are_found_where_kubelogin_looks(
    more: tuple[str, ...], env: dict[str, str], hub: dict[str, str], names: tuple[str, str, str]
) -> None:
    client, tenant, secret = names
    found = of_exec_in(hub, "kubelogin", *entra("--login", "spn"), *more, **env)
    assert isinstance(found, AKS)
    alone = more[:1] in (("--use-azurerm-env-vars",), ("--disable-environment-override",))
    expected = azure.Login("client-secret", tenant, client, PUBLIC, secret)
    assert found.login == replace(expected, from_environment=not alone)


@pytest.mark.parametrize("where", ["env", "hub"])
def test_a_certificate_wins_over_a_secret_as_in_kubelogin(where: str) -> None:
    env = {"AZURE_CLIENT_CERTIFICATE_PATH": "/c.pem", "AZURE_CLIENT_SECRET": "s"}
    args = entra("--login", "spn", *SECRETLESS)
    found = of_exec("kubelogin", *args, **env) if where == "env" else None
    found = found or of_exec_in(env, "kubelogin", *args)
    assert isinstance(found, AKS)
    expected = azure.Login("certificate", "flag-tenant", "flag", PUBLIC, certificate_file="/c.pem")
    assert found.login == expected


def test_a_certificate_of_the_stanza_is_not_mixed_with_a_secret_of_the_hub() -> None:
    args = entra("--login", "spn", *SECRETLESS, "--client-certificate", "/c.pem")
    found = of_exec_in(SPN_ENV, "kubelogin", *args)
    assert isinstance(found, AKS)
    assert (found.login.kind, found.login.client_secret) == ("certificate", "")


def test_the_way_to_log_in_may_be_a_variable() -> None:
    args = entra("--login", "devicecode")
    found = of_exec("kubelogin", *args, AAD_LOGIN_METHOD="spn", **SPN_ENV)
    assert isinstance(found, AKS)
    assert found.login == azure.Login("client-secret", "t", "c", PUBLIC, "s")
    assert not found.warning


@pytest.mark.parametrize("place", ["env", "hub"])
@pytest.mark.parametrize(
    ("method", "names", "expected"),
    [
        (
            "spn",
            OLD_ENV,
            azure.Login("client-secret", TENANT, "old-ID", PUBLIC, "old-SECRET"),
        ),
        (
            "spn",
            SPN_ENV,
            azure.Login("client-secret", "t", "c", PUBLIC, "s"),
        ),
        ("msi", {}, azure.Login("managed-identity")),
        ("msi", {"AZURE_CLIENT_ID": "c"}, azure.Login("managed-identity", client_id="c")),
    ],
)
def test_what_azure_writes_is_turned_into_a_hubs_login_by_variables(
    place: str, method: str, names: dict[str, str], expected: azure.Login
) -> None:
    args = entra("--client-id", "80faf920-1908-4b52-b5ef-a8e7bedfc67a", "--tenant-id", TENANT)
    args += ["--login", "devicecode"]
    names = {"AAD_LOGIN_METHOD": method, **names}
    env, hub = (names, {}) if place == "env" else ({}, names)
    found = of_exec_in(hub, "kubelogin", *args, **env)
    assert isinstance(found, AKS)
    assert found.login == expected
    assert not found.warning


def test_the_hubs_way_counts_where_the_stanza_names_a_persons() -> None:
    hub = {"AAD_LOGIN_METHOD": "spn", **OLD_ENV, "AZURE_TENANT_ID": "t"}
    found = of_exec_in(hub, "kubelogin", *entra("--login", "devicecode"))
    assert isinstance(found, AKS)
    assert found.login == azure.Login("client-secret", "t", "old-ID", PUBLIC, "old-SECRET")
    found = of_exec_in(hub, "kubelogin", *entra("--login", "msi", "--client-id", "c"))
    assert isinstance(found, AKS)
    assert found.login == azure.Login("managed-identity", client_id="c")
    assert "AAD_LOGIN_METHOD in the hub's environment is not followed" in found.warning


def test_variables_of_the_webhook_count_in_a_stanza() -> None:
    args = ["get-token", "--login", "workloadidentity", "--server-id", SERVER]
    args += ["--client-id", "flag", "--federated-token-file", "/flag"]
    found = of_exec("kubelogin", *args, **WEBHOOK)
    assert isinstance(found, AKS)
    expected = azure.Login(
        "workload-identity", "hubs-tenant", "hubs", PUBLIC, federated_token_file="/hubs-jwt"
    )
    assert found.login == expected
    found = of_exec_in(WEBHOOK, "kubelogin", *args)
    assert isinstance(found, AKS)
    assert (found.login.client_id, found.login.federated_token_file) == ("flag", "/flag")
    assert found.login.tenant_id == "hubs-tenant"


@pytest.mark.parametrize(
    ("more", "env", "message"),
    [
        (("-l", "spn"), {"ARM_CLIENT_ID": SECRET}, "ARM_CLIENT_ID .* without --use-azurerm"),
        (
            ("-l", "spn", "--use-azurerm-env-vars"),
            {"AZURE_CLIENT_SECRET": SECRET},
            "AZURE_CLIENT_SECRET .* beside --use-azurerm-env-vars",
        ),
        (
            ("-l", "devicecode"),
            {"AZURE_CLIENT_SECRET": SECRET},
            "AZURE_CLIENT_SECRET .* for the login devicecode",
        ),
        (("-l", "msi"), {"AZURE_FEDERATED_TOKEN_FILE": SECRET}, "for the login msi"),
        (
            ("-l", "azd", "--use-azurerm-env-vars"),
            {"ARM_CLIENT_SECRET": SECRET},
            "ARM_CLIENT_SECRET .* for the login azd",
        ),
        (("-l", "msi"), {"AAD_LOGIN_METHOD": SECRET}, "AAD_LOGIN_METHOD in exec.env names none"),
        (("-l", "msi"), {"AAD_LOGIN_METHOD": "ropc"}, "AAD_LOGIN_METHOD in exec.env: ropc is not"),
        (("-l", "msi"), {"AZURE_ENVIRONMENT_FILEPATH": SECRET}, "is not understood"),
        (
            ("-l", "spn", "--client-certificate", "/c.pfx"),
            {"AZURE_CLIENT_CERTIFICATE_PASSWORD": SECRET},
            "its variable in exec.env",
        ),
        (
            ("-l", "workloadidentity"),
            {"AZURE_AUTHORITY_HOST": f"https://{SECRET}/"},
            "sent to strangers",
        ),
    ],
)
def test_a_variable_that_would_not_count_is_refused_by_name(
    more: tuple[str, ...], env: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        of_exec("kubelogin", *entra(*more), **env)
    assert SECRET not in shown_by(caught.value)


@pytest.mark.parametrize("flag", ["--disable-environment-override", "--use-azurerm-env-vars"])
def test_a_secret_is_not_looked_for_where_the_stanza_forbids_it(flag: str) -> None:
    with pytest.raises(ConfigError, match="neither a client secret nor a certificate"):
        of_exec_in(SPN_ENV, "kubelogin", *entra("--login", "spn", flag))


def test_variables_of_azures_command_line_change_nothing() -> None:
    args = entra("--login", "azurecli")
    env = {"AZURE_CONFIG_DIR": "/x", "AZURE_CLI_TIMEOUT": "10s", "KUBECACHEDIR": "/y"}
    assert of_exec("kubelogin", *args, **env) == of_exec("kubelogin", *args)


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
    assert found.login == azure.Login(tenant_id="t", authority=PUBLIC)
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
