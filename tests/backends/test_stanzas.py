"""What holds for the log-in stanzas of all clouds. Those of one are in tests/backends/programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from mcks.auth import azure
from mcks.backends import programs, stanzas
from mcks.backends.programs.gke_gcloud_auth_plugin import GKE
from mcks.backends.stanzas import base_name, recognise
from mcks.errors import ConfigError
from tests.backends.exec_stanzas import SECRET, of_exec, user
from tests.backends.refusals import shown_by

SERVER = azure.AKS_SERVER_ID
UUID = "0d3db13e-a604-4944-9827-7ec2642d32ac"


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
def test_a_command_is_known_by_its_name_in_any_folder(command: str, name: str) -> None:
    assert base_name(command) == name


EKS_ARGS = ("eks", "get-token", "--cluster-name", "hub", "--region", "eu-west-1")
DOCTL_ARGS = ("kubernetes", "cluster", "kubeconfig", "exec-credential", "--version=v1beta1")
KUBELOGIN_ARGS = ("get-token", "--server-id", SERVER, "--login", "msi")


@pytest.mark.parametrize(
    ("command", "arguments", "more"),
    [
        ("aws", EKS_ARGS, ("--no-cli-pager", "--output=text", "--color", "off", "--debug")),
        ("aws", EKS_ARGS, ("--cli-read-timeout", "10", "--no-cli-auto-prompt")),
        ("aws-iam-authenticator", ("token", "-ihub"), ("-ljson", "--cache")),
        ("kubelogin", KUBELOGIN_ARGS, ("-v", "10", "--timeout=60s", "--logtostderr")),
        ("kubelogin", KUBELOGIN_ARGS, ("-v10", "-ssub", "--legacy=false")),
        ("gke-gcloud-auth-plugin", (), ("-v=4", "--project", "p", "--logtostderr=false")),
        ("doctl", (*DOCTL_ARGS, UUID), ("-v", "-ojson", "--trace", "--http-retry-max", "3")),
    ],
)
def test_what_changes_no_login_is_taken(
    command: str, arguments: tuple[str, ...], more: tuple[str, ...]
) -> None:
    assert of_exec(command, *more, *arguments) == of_exec(command, *arguments)
    assert of_exec(command, *arguments, *more) == of_exec(command, *arguments)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("doctl", (*DOCTL_ARGS, UUID, "-tSECRET")),
        ("doctl", (*DOCTL_ARGS, UUID, "-vtSECRET")),
        ("doctl", (*DOCTL_ARGS, UUID, "-t=SECRET")),
        ("doctl", (*DOCTL_ARGS, UUID, "--acces-token=SECRET")),
        ("doctl", (*DOCTL_ARGS, UUID, "-uhttps://SECRET@api.example.org")),
        ("aws", (*EKS_ARGS, "--secret SECRET")),
        ("aws", (*EKS_ARGS, "--endpoint-url=https://SECRET@sts.example.org")),
        ("aws-iam-authenticator", ("token", "-i", "hub", "-xSECRET")),
        ("gke-gcloud-auth-plugin", ("--token:SECRET",)),
        ("kubelogin", ("get-token", "--server-id", SERVER, "-lSECRET")),
        ("kubelogin", ("get-token", "--server-id", SERVER, "--login", "SECRET")),
        ("kubelogin", ("get-token", "--server-id", SERVER, "--environment", "SECRET")),
        ("kubelogin", ("get-token", "--server-id", SERVER, "--authority-host", "https://SECRET/")),
        ("kubelogin", ("get-token", "--client-secret SECRET")),
        ("kubelogin", (*KUBELOGIN_ARGS, "-lspn", "--client-certificate-password", "SECRET")),
    ],
)
def test_no_value_of_an_argument_is_in_a_message(command: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        of_exec(command, *arguments)
    assert "SECRET" not in shown_by(caught.value)


CALLS = [
    ("aws", EKS_ARGS),
    ("aws-iam-authenticator", ("token", "-i", "hub")),
    ("kubelogin", KUBELOGIN_ARGS),
    ("gke-gcloud-auth-plugin", ()),
    ("gke-gcloud-auth-plugin", ("--use_application_default_credentials",)),
    ("doctl", (*DOCTL_ARGS, UUID)),
]


@pytest.mark.parametrize(("command", "arguments"), CALLS)
@pytest.mark.parametrize("name", ["NEW_IDENTITY", "HOME", "AWS_CONFIG_FILE"])
def test_a_variable_that_would_be_lost_is_refused_by_name(
    command: str, arguments: tuple[str, ...], name: str
) -> None:
    with pytest.raises(ConfigError, match=f"{name} in exec.env is not understood") as caught:
        of_exec(command, *arguments, **{name: SECRET})
    assert SECRET not in shown_by(caught.value)


@pytest.mark.parametrize(("command", "arguments"), CALLS)
def test_a_variable_that_changes_no_login_is_taken(
    command: str, arguments: tuple[str, ...]
) -> None:
    changes_nothing = {"PATH": "/opt", "LANG": "C", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    assert of_exec(command, *arguments, **changes_nothing) == of_exec(command, *arguments)


@pytest.mark.parametrize(("command", "arguments"), CALLS)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "AWS_CA_BUNDLE"])
def test_the_hubs_own_proxy_and_cas_count_and_the_log_says_so(
    command: str, arguments: tuple[str, ...], name: str
) -> None:
    plain, found = of_exec(command, *arguments), of_exec(command, *arguments, **{name: SECRET})
    assert found is not None
    assert plain is not None
    told = f"{name} in exec.env: the hub's own proxy and CAs count instead"
    assert found.warning == "; ".join(filter(None, (plain.warning, told)))
    assert (found.identity(), found.renewal()) == (plain.identity(), plain.renewal())
    assert found.credential_key() == plain.credential_key()
    assert SECRET not in found.warning


def test_everything_else_is_unknown() -> None:
    assert of_exec("/opt/teleport", "kube", "credentials") is None
    assert recognise(user({"token": "x"})) is None
    assert recognise(user({"auth-provider": {"name": "oidc"}})) is None


@pytest.mark.parametrize(
    "stanza", [{"args": [1]}, {"args": "x"}, {"env": ["X=1"]}, {"env": [{"name": "X", "value": 1}]}]
)
def test_wrong_types_are_config_errors(stanza: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"users\[u\]: exec\.(args|env) must be"):
        recognise(user({"exec": {"command": "aws"} | stanza}))


def test_another_cloud_is_one_more_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fifth_cloud.py").write_text(
        "from mcks.backends.native import Known\n"
        "KNOWN = Known(commands={'fifth-login': lambda call: call.arguments})\n"
    )
    monkeypatch.setattr(programs, "__path__", [*programs.__path__, str(tmp_path)])
    stanzas._known.cache_clear()
    try:
        found: object = of_exec("/opt/fifth-login", "--a")
        assert found == ["--a"]
        assert isinstance(of_exec("gke-gcloud-auth-plugin"), GKE)
    finally:
        stanzas._known.cache_clear()
        sys.modules.pop("mcks.backends.programs.fifth_cloud", None)
