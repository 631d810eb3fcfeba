"""Google's log-in program, as gcloud writes it into a kubeconfig."""

from __future__ import annotations

import pytest

from mcks.auth import google
from mcks.backends.programs.gke_gcloud_auth_plugin import GKE
from mcks.backends.stanzas import recognise
from mcks.errors import ConfigError
from tests.backends.exec_stanzas import BETA, of_exec, of_exec_in, user


def test_as_gcloud_writes_it() -> None:
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


def test_with_application_default_credentials_nothing_differs() -> None:
    flag = "--use_application_default_credentials"
    ignored = "--impersonate_service_account=sa@p"
    assert of_exec("gke-gcloud-auth-plugin", flag) == GKE(google.Login())
    assert of_exec("gke-gcloud-auth-plugin", flag, ignored) == GKE(google.Login())


def test_impersonation_is_kept() -> None:
    found = of_exec("/x/gke-gcloud-auth-plugin", "--impersonate_service_account=sa@p")
    assert isinstance(found, GKE)
    assert found.login.impersonate == "sa@p"


def test_the_legacy_auth_provider() -> None:
    config = {"cmd-path": "gcloud", "cmd-args": "config config-helper --format=json"}
    found = recognise(user({"auth-provider": {"name": "gcp", "config": config}}))
    assert isinstance(found, GKE)
    assert found.warning


def test_what_cannot_be_served_is_refused() -> None:
    with pytest.raises(ConfigError, match="edge clusters"):
        of_exec("gke-gcloud-auth-plugin", "--use_edge_cloud", "--location=l")
    with pytest.raises(ConfigError, match="CLOUDSDK_AUTH_ACCESS_TOKEN"):
        of_exec("gke-gcloud-auth-plugin", CLOUDSDK_AUTH_ACCESS_TOKEN="x")
    with pytest.raises(ConfigError, match=r"users\[u\]: the option --new is not understood"):
        of_exec("gke-gcloud-auth-plugin", "--new")


PLUGIN = "gke-gcloud-auth-plugin"
ADC = "--use_application_default_credentials"


def test_a_file_of_application_default_credentials_is_used() -> None:
    env = {"GOOGLE_APPLICATION_CREDENTIALS": "/sa.json"}
    assert of_exec(PLUGIN, ADC, **env) == GKE(google.Login("/sa.json"))
    found = of_exec(PLUGIN, "--impersonate_service_account", "sa@p", **env)
    assert isinstance(found, GKE)
    assert found.login == google.Login("/sa.json", "sa@p")
    assert "gcloud's own account" in found.warning


@pytest.mark.parametrize("place", ["env", "hub"])
def test_gclouds_own_file_and_service_account_are_used(place: str) -> None:
    names = {
        "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE": "/gcloud.json",
        "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT": "sa@p",
    }
    found = of_exec(PLUGIN, **names) if place == "env" else of_exec_in(names, PLUGIN)
    assert found == GKE(google.Login("/gcloud.json", "sa@p")), "gcloud's own: nothing to warn of"
    found = of_exec_in(names, PLUGIN, "--impersonate_service_account=other@p")
    assert found == GKE(google.Login("/gcloud.json", "other@p"))
    assert of_exec_in(names, PLUGIN, ADC) == GKE(google.Login()), "the plug-in ignores the rest"


def test_variables_that_change_nothing() -> None:
    env = {"USE_GKE_GCLOUD_AUTH_PLUGIN": "True", "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}
    assert of_exec(PLUGIN, **env) == of_exec(PLUGIN)


@pytest.mark.parametrize(
    "name",
    [
        "CLOUDSDK_CORE_ACCOUNT",
        "CLOUDSDK_ACTIVE_CONFIG_NAME",
        "CLOUDSDK_CONFIG",
        "GCE_METADATA_HOST",
    ],
)
@pytest.mark.parametrize("args", [(), (ADC,)])
def test_other_variables_are_refused_by_name(name: str, args: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=f"{name} in exec.env is not understood"):
        of_exec(PLUGIN, *args, **{name: "x"})


def test_a_chain_of_service_accounts_is_refused() -> None:
    with pytest.raises(ConfigError, match="chain"):
        of_exec(PLUGIN, "--impersonate_service_account=a@p,b@p")
