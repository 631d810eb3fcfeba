"""``mcks token`` hands a credential to kubectl; ``mcks rbac`` knows a cluster's namespace."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from mcks.auth.credential import Credential
from mcks.core.cli import main
from mcks.core.commands.token import asked_version, exec_credential
from mcks.errors import ConfigError

TOKEN = "THESECRETOFTHEHUB"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    content = {
        "clusters": [{"name": "k", "cluster": {"server": "https://192.0.2.1"}}],
        "contexts": [{"name": "k", "context": {"cluster": "k", "user": "u", "namespace": "jhub"}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.delenv("KUBERNETES_EXEC_INFO", raising=False)
    path = tmp_path / "jupyterhub_config.py"
    path.write_text("c.MultiClusterKubeSpawner.clusters = {'one': {'context': 'k'}}\n")
    return str(path)


def test_kubectl_gets_a_token_with_its_end() -> None:
    told = json.loads(exec_credential(Credential(token="t", expires_at=1_700_000_000.9)))
    assert told == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "t", "expirationTimestamp": "2023-11-14T22:13:20Z"},
    }


def test_kubectl_gets_a_certificate() -> None:
    credential = Credential(client_certificate="CERT", client_key="KEY")
    assert json.loads(exec_credential(credential))["status"] == {
        "clientCertificateData": "CERT",
        "clientKeyData": "KEY",
    }


def test_a_login_without_token_and_certificate_cannot_be_handed_on() -> None:
    with pytest.raises(ConfigError, match="neither a token nor a certificate"):
        exec_credential(Credential())


def test_the_command_prints_the_clusters_credential(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "one", "-f", config]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["status"] == {"token": TOKEN}
    assert captured.err == ""


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_answer_is_of_the_version_that_kubectl_asks_for(
    version: str, config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = f"client.authentication.k8s.io/{version}"
    info = {"apiVersion": wanted, "kind": "ExecCredential", "spec": {"interactive": False}}
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", json.dumps(info))
    assert main(["token", "one", "-f", config]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["apiVersion"], told["status"]) == (wanted, {"token": TOKEN})


def test_who_asks_for_no_version_gets_the_stable_one() -> None:
    assert asked_version({}) == asked_version({"KUBERNETES_EXEC_INFO": ""})
    assert asked_version({}) == "client.authentication.k8s.io/v1"


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ('{"apiVersion": "client.authentication.k8s.io/v1alpha1"}', "'client.*v1alpha1'; write"),
        ("{}", "of None; write one of"),
        ("[]", "of None; write one of"),
        ("{", "is not JSON"),
    ],
)
def test_another_version_is_an_error_before_anything_is_minted(
    info: str,
    message: str,
    config: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigError, match=message):
        asked_version({"KUBERNETES_EXEC_INFO": info})
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", info)
    assert main(["token", "one", "-f", config]) == 1
    assert capsys.readouterr().out == ""


def test_a_terminal_sees_it_only_on_request(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["token", "one", "-f", config]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--show" in captured.err
    assert TOKEN not in captured.err
    assert main(["token", "one", "-f", config, "--show"]) == 0
    assert TOKEN in capsys.readouterr().out


def test_an_unknown_cluster_is_an_error(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "on", "-f", config]) == 1
    assert "Did you mean 'one'?" in capsys.readouterr().err


def test_the_role_goes_into_the_namespace_of_the_named_cluster(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rbac", "one", "-f", config, "--user", "hub"]) == 0
    role, binding = yaml.safe_load_all(capsys.readouterr().out)
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "jhub"
    assert main(["rbac", "one", "-f", config, "--namespace", "mine", "--user", "hub"]) == 0
    assert next(yaml.safe_load_all(capsys.readouterr().out))["metadata"]["namespace"] == "mine"


def test_without_a_cluster_no_configuration_is_needed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["rbac", "--serviceaccount", "hubs:hub"]) == 0
    role, binding = yaml.safe_load_all(capsys.readouterr().out)
    assert role["metadata"]["namespace"] == "default"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "hub", "namespace": "hubs"}]
