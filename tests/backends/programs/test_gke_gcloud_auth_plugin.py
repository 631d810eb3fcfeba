"""Google's log-in program, as gcloud writes it into a kubeconfig."""

from __future__ import annotations

import pytest

from mcks.auth import google
from mcks.backends.programs.gke_gcloud_auth_plugin import GKE
from mcks.backends.stanzas import recognise
from mcks.errors import ConfigError
from tests.backends.exec_stanzas import BETA, of_exec, user


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
