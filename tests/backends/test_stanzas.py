"""Every known log-in stanza, as its writer writes it, and near misses."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mcks.auth import aws, azure, google
from mcks.backends import programs, stanzas
from mcks.backends.kubeconfig import Entry
from mcks.backends.programs.aws import EKS
from mcks.backends.programs.doctl import DOKS
from mcks.backends.programs.gke_gcloud_auth_plugin import GKE
from mcks.backends.programs.kubelogin import AKS
from mcks.backends.stanzas import base_name, recognise
from mcks.errors import ConfigError

UUID = "0d3db13e-a604-4944-9827-7ec2642d32ac"
SERVER = azure.AKS_SERVER_ID
TENANT = "11111111-2222-3333-4444-555555555555"
BETA = "client.authentication.k8s.io/v1beta1"
EKS_LOGIN = aws.Login(region="eu-west-1", session_name="EKSGetTokenAuth")
PUBLIC = "login.microsoftonline.com"


def user(fields):
    return Entry("u", "users", Path("config"), fields)


def of_exec(command, *args, **env):
    variables = [{"name": k, "value": v} for k, v in env.items()] or None
    return recognise(
        user({"exec": {"apiVersion": BETA, "command": command, "args": [*args], "env": variables}})
    )


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("aws", "aws"),
        ("/usr/local/bin/aws", "aws"),
        ("C:\\Program Files\\Amazon\\aws.exe", "aws"),
        ("gke-gcloud-auth-plugin.EXE", "gke-gcloud-auth-plugin"),
        ("", ""),
    ],
)
def test_a_command_is_known_by_its_name_in_any_folder(command, name):
    assert base_name(command) == name


class TestGKE:
    def test_as_gcloud_writes_it(self):
        stanza = {
            "apiVersion": BETA,
            "command": "gke-gcloud-auth-plugin",
            "args": None,
            "env": None,
            "installHint": "Install ...",
            "interactiveMode": "IfAvailable",
            "provideClusterInfo": True,
        }
        found = recognise(user({"exec": stanza}))
        assert isinstance(found, GKE)
        assert found.login == google.Login()
        assert "Application Default Credentials" in found.warning

    def test_with_application_default_credentials_nothing_differs(self):
        flag = "--use_application_default_credentials"
        ignored = "--impersonate_service_account=sa@p"
        assert of_exec("gke-gcloud-auth-plugin", flag) == GKE(google.Login())
        assert of_exec("gke-gcloud-auth-plugin", flag, ignored) == GKE(google.Login())

    def test_impersonation_is_kept(self):
        found = of_exec("/x/gke-gcloud-auth-plugin", "--impersonate_service_account=sa@p")
        assert isinstance(found, GKE)
        assert found.login.impersonate == "sa@p"

    def test_the_legacy_auth_provider(self):
        config = {"cmd-path": "gcloud", "cmd-args": "config config-helper --format=json"}
        found = recognise(user({"auth-provider": {"name": "gcp", "config": config}}))
        assert isinstance(found, GKE)
        assert found.warning

    def test_what_cannot_be_served_is_refused(self):
        with pytest.raises(ConfigError, match="edge clusters"):
            of_exec("gke-gcloud-auth-plugin", "--use_edge_cloud", "--location=l")
        with pytest.raises(ConfigError, match="CLOUDSDK_AUTH_ACCESS_TOKEN"):
            of_exec("gke-gcloud-auth-plugin", CLOUDSDK_AUTH_ACCESS_TOKEN="x")
        with pytest.raises(ConfigError, match=r"users\[u\]: the option --new is not understood"):
            of_exec("gke-gcloud-auth-plugin", "--new")


class TestEKS:
    def test_as_update_kubeconfig_writes_it(self):
        args = ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "hub"]
        found = of_exec("aws", *args, "--output", "json")
        assert found == EKS(EKS_LOGIN, "hub")

    def test_with_role_and_profile(self):
        args = ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "hub"]
        found = of_exec("aws", *args, "--role", "arn:r", AWS_PROFILE="p")
        login = aws.Login("eu-west-1", "p", "arn:r", session_name="EKSGetTokenAuth")
        assert found == EKS(login, "hub")

    def test_in_any_order_and_spelling(self):
        args = ["eks", "--profile=p", "get-token", "--role-arn=arn:r", "--cluster-name=hub"]
        found = of_exec("/opt/aws.exe", *args, "--region", "eu-west-1")
        login = aws.Login("eu-west-1", "p", "arn:r", session_name="EKSGetTokenAuth")
        assert found == EKS(login, "hub")

    def test_on_an_outpost(self):
        found = of_exec("aws", "eks", "get-token", "--cluster-id", "1234", "--region", "eu-west-1")
        assert found == EKS(EKS_LOGIN, "1234")

    def test_keys_and_regions_of_the_environment(self):
        found = of_exec(
            "aws",
            *("eks", "get-token", "--cluster-name", "hub"),
            AWS_DEFAULT_REGION="eu-west-1",
            AWS_ACCESS_KEY_ID="AKIA",
            AWS_SECRET_ACCESS_KEY="SECRET",
            AWS_STS_REGIONAL_ENDPOINTS="legacy",
        )
        assert isinstance(found, EKS)
        assert (found.login.region, found.login.access_key_id) == ("eu-west-1", "AKIA")
        assert found.login.sts_regional_endpoints == "legacy"
        assert "SECRET" not in repr(found)

    @pytest.mark.parametrize("command", ["aws-iam-authenticator", "heptio-authenticator-aws"])
    @pytest.mark.parametrize(
        "args",
        [
            ("token", "-i", "hub", "-r", "arn:r", "-e", "ext", "-s", "me"),
            ("token", "--cluster-id=hub", "--role=arn:r", "--external-id=ext", "--session-name=me"),
        ],
    )
    def test_as_aws_iam_authenticator_has_it(self, command, args):
        env = {"AWS_STS_REGIONAL_ENDPOINTS": "regional", "AWS_DEFAULT_REGION": "eu-west-1"}
        found = of_exec(command, *args, **env)
        assert found == EKS(aws.Login("eu-west-1", "", "arn:r", "ext", "me", "regional"), "hub")

    def test_the_authenticators_default_role_and_region(self):
        env = {"DEFAULT_ROLE": "arn:d", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "x"}
        found = of_exec("aws-iam-authenticator", "token", "-i", "hub", **env)
        assert isinstance(found, EKS)
        assert (found.login.role_arn, found.login.region) == ("arn:d", "eu-west-1")

    def test_a_forwarded_session_name_is_warned_about(self):
        found = of_exec("aws-iam-authenticator", "token", "-i", "hub", "--forward-session-name")
        assert isinstance(found, EKS)
        assert "session" in found.warning

    @pytest.mark.parametrize(
        ("args", "env", "message"),
        [
            (("--endpoint-url", "https://evil"), {}, "not sent elsewhere"),
            ((), {"AWS_ENDPOINT_URL_STS": "https://evil"}, "not sent elsewhere"),
            ((), {"AWS_CONFIG_FILE": "/x"}, "AWS_CONFIG_FILE in exec.env is not understood"),
            (("--no-verify-ssl",), {}, "--no-verify-ssl is not understood"),
            (("--region",), {}, "--region has no value"),
        ],
    )
    def test_what_would_be_lost_or_sent_elsewhere_is_refused(self, args, env, message):
        with pytest.raises(ConfigError, match=message):
            of_exec("aws", "eks", "get-token", "--cluster-name", "hub", *args, **env)

    def test_a_stanza_without_a_cluster_is_refused(self):
        with pytest.raises(ConfigError, match="name no cluster"):
            of_exec("aws", "eks", "get-token")

    @pytest.mark.parametrize(
        "args", [("sts", "get-caller-identity"), ("eks", "describe-cluster"), ("get-token",), ()]
    )
    def test_other_commands_of_aws_are_unknown_plugins(self, args):
        assert of_exec("aws", *args) is None

    def test_other_commands_of_the_authenticator_are_unknown_plugins(self):
        assert of_exec("aws-iam-authenticator", "verify", "-i", "x") is None


def entra(*login, environment="AzurePublicCloud"):
    return ["get-token", "--environment", environment, "--server-id", SERVER, *login]


class TestAKS:
    @pytest.mark.parametrize("login", ["devicecode", "interactive", "azurecli", "azd"])
    def test_a_persons_login_becomes_the_hubs_identity_with_a_warning(self, login):
        args = entra("--client-id", "80faf920-1908-4b52-b5ef-a8e7bedfc67a", "--tenant-id", TENANT)
        found = of_exec("kubelogin", *args, "--login", login)
        assert isinstance(found, AKS)
        assert found.login == azure.Login(authority=PUBLIC)
        assert found.scope == f"{SERVER}/.default"
        assert login in found.warning

    def test_without_a_login_it_is_a_persons(self):
        found = of_exec("kubelogin", *entra())
        assert isinstance(found, AKS)
        assert "devicecode" in found.warning

    def test_a_service_principal(self):
        args = ["--client-id", "c", "--tenant-id", "t", "--client-secret", "SECRET", "-l", "spn"]
        found = of_exec("kubelogin", *entra(*args))
        assert isinstance(found, AKS)
        assert found.login == azure.Login("client-secret", "t", "c", PUBLIC, "SECRET")
        assert not found.warning
        assert "SECRET" not in repr(found)

    @pytest.mark.parametrize("old", [True, False])
    def test_a_service_principals_secret_in_the_environment(self, old):
        prefix = "AAD_SERVICE_PRINCIPAL_CLIENT_" if old else "AZURE_CLIENT_"
        env = {f"{prefix}ID": "c", f"{prefix}SECRET": "s"}
        found = of_exec("kubelogin", *entra("--login=spn", "-t", "t"), **env)
        assert isinstance(found, AKS)
        assert found.login == azure.Login("client-secret", "t", "c", PUBLIC, "s")

    def test_a_service_principals_certificate(self):
        args = ["--login", "spn", "--client-id", "c", "-t", "t", "--client-certificate", "/c.pem"]
        found = of_exec("kubelogin", *entra(*args))
        assert isinstance(found, AKS)
        expected = azure.Login("certificate", "t", "c", PUBLIC, certificate_file="/c.pem")
        assert found.login == expected

    def test_a_service_principal_whose_secret_the_hub_has(self):
        found = of_exec("kubelogin", *entra("--login", "spn", "--client-id", "c", "-t", "t"))
        assert isinstance(found, AKS)
        assert found.login == azure.Login("environment", "t", "c", PUBLIC)

    def test_managed_identity(self):
        args = ["get-token", "--login", "msi", "--server-id", SERVER]
        found = of_exec("kubelogin", *args, "--client-id", "c")
        assert isinstance(found, AKS)
        assert found.login == azure.Login("managed-identity", client_id="c")
        found = of_exec("kubelogin", *args, "--identity-resource-id", "/r")
        assert isinstance(found, AKS)
        assert found.login == azure.Login("managed-identity", identity_resource_id="/r")

    def test_workload_identity(self):
        args = ["get-token", "--login", "workloadidentity", "--server-id", SERVER]
        found = of_exec("kubelogin", *args)
        assert isinstance(found, AKS)
        assert found.login == azure.Login("workload-identity")
        args += ["--client-id", "c", "--tenant-id", "t", "--federated-token-file", "/jwt"]
        found = of_exec("kubelogin", *args, "--authority-host", f"https://{PUBLIC}/")
        assert isinstance(found, AKS)
        expected = azure.Login("workload-identity", "t", "c", PUBLIC, federated_token_file="/jwt")
        assert found.login == expected

    def test_other_clouds_by_the_environments_name(self):
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
    def test_what_cannot_be_served_is_refused(self, args, message):
        with pytest.raises(ConfigError, match=message):
            of_exec("kubelogin", "get-token", "--server-id", SERVER, *args)

    def test_a_stanza_without_a_server_id_is_refused(self):
        with pytest.raises(ConfigError, match="no --server-id"):
            of_exec("kubelogin", "get-token")

    def test_another_program_of_the_same_name_is_unknown(self):
        args = ["get-token", "--oidc-issuer-url=https://idp", "--oidc-client-id=x"]
        assert of_exec("kubelogin", *args) is None
        assert of_exec("kubelogin", "convert-kubeconfig") is None

    @pytest.mark.parametrize(("mode", "prefix"), [("1", ""), ("0", "spn:"), (None, "spn:")])
    def test_the_legacy_auth_provider(self, mode, prefix):
        config = {"apiserver-id": "app", "environment": "AzurePublicCloud", "tenant-id": "t"}
        config |= {"config-mode": mode} if mode else {}
        found = recognise(user({"auth-provider": {"name": "azure", "config": config}}))
        assert isinstance(found, AKS)
        assert found.scope == f"{prefix}app/.default"
        assert found.warning


class TestDOKS:
    ARGS = ("kubernetes", "cluster", "kubeconfig", "exec-credential", "--version=v1beta1")

    def test_as_doctl_writes_it(self):
        found = of_exec("doctl", *self.ARGS, "--context=default", UUID)
        assert isinstance(found, DOKS)
        assert found.cluster_id == UUID
        assert "DigitalOcean token" in found.warning

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (("--sso-issuer-url", "https://i", UUID), "login by browser"),
            (("--api-url=https://evil", UUID), "not sent elsewhere"),
            (("--access-token=x", UUID), "take it out"),
            ((), "name no cluster"),
        ],
    )
    def test_what_cannot_be_served_is_refused(self, args, message):
        with pytest.raises(ConfigError, match=message):
            of_exec("doctl", *self.ARGS, *args)

    def test_other_commands_of_doctl_are_unknown(self):
        assert of_exec("doctl", "auth", "init") is None


def test_everything_else_is_unknown():
    assert of_exec("/opt/teleport", "kube", "credentials") is None
    assert recognise(user({"token": "x"})) is None
    assert recognise(user({"auth-provider": {"name": "oidc"}})) is None


@pytest.mark.parametrize(
    "stanza", [{"args": [1]}, {"args": "x"}, {"env": ["X=1"]}, {"env": [{"name": "X", "value": 1}]}]
)
def test_wrong_types_are_config_errors(stanza):
    with pytest.raises(ConfigError, match=r"users\[u\]: exec\.(args|env) must be"):
        recognise(user({"exec": {"command": "aws"} | stanza}))


def test_another_cloud_is_one_more_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fifth_cloud.py").write_text(
        "from mcks.backends.native import Known\n"
        "KNOWN = Known(commands={'fifth-login': lambda arguments, environment: arguments})\n"
    )
    monkeypatch.setattr(programs, "__path__", [*programs.__path__, str(tmp_path)])
    stanzas._known.cache_clear()
    try:
        assert of_exec("/opt/fifth-login", "--a") == ["--a"]
        assert isinstance(of_exec("gke-gcloud-auth-plugin"), GKE)
    finally:
        stanzas._known.cache_clear()
        sys.modules.pop("mcks.backends.programs.fifth_cloud", None)
