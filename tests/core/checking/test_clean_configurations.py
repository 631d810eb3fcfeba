"""Configurations that work give nothing: those of the docs (tests/test_docs.py), and these."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mcks.auth.service_account import InCluster
from mcks.core.checking import config_file
from mcks.core.checking.config_check import check
from tests.core import kubeconfigs
from tests.core.checking.running import configuration
from tests.demo.hub import CONFIG
from tests.peers.original import PATCHES, PROFILES

HUB = 'c.JupyterHub.spawner_class = "mcks"\nc.JupyterHub.hub_connect_url = "https://hub.example.org"\n'
SECTIONS = ["MultiClusterKubeSpawner", "MultiClusterKubernetesSpawner", "MultiClusterUserSpawner"]


def _kubeconfig(directory: Path, monkeypatch: pytest.MonkeyPatch, *contexts: str) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(directory / "kc", *contexts)))


def test_the_demonstrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _kubeconfig(tmp_path, monkeypatch, "local-a", "local-b")
    clusters = [
        {
            "name": name,
            "context": f"local-{name}",
            "gateway_url": "http://192.0.2.1:8080",
            "hub_connect_url": "http://192.0.2.9:8081",
        }
        for name in "ab"
    ]
    demo: Mapping[str, Any] = {
        "public_url": "http://127.0.0.1:8000",
        "hub_url": "http://0.0.0.0:8081",
        "directory": str(tmp_path),
        "proxy_command": ["proxy"],
        "proxy_api_url": "http://127.0.0.1:8001",
        "namespace": "demo",
        "command": ["jupyterhub-singleuser"],
        "notebook_patch": "kind: Pod\nmetadata: {name: '{{key}}', labels: {demo: x}}",
        "clusters": clusters,
    }
    path = tmp_path / "demo.json"
    path.write_text(json.dumps(demo))
    monkeypatch.setenv("MCKS_DEMO", str(path))
    assert check(config_file.read(CONFIG)).found == []


@pytest.mark.parametrize("section", SECTIONS)
def test_the_originals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str) -> None:
    _kubeconfig(tmp_path, monkeypatch, "gke", "eks")
    text = f"{HUB}c.{section}.profile_list = {PROFILES!r}\nc.{section}.patches = {PATCHES!r}\n"
    assert check(configuration(tmp_path, text)).found == []


@pytest.mark.parametrize(
    "extra",
    [
        'S.key_template = "u{{userid}}"',
        'S.key_template = "u{{userid}}--{{servername}}"\nc.JupyterHub.allow_named_servers = True',
        'S.clusters["a"]["namespace"] = "u{{userid}}"',
        'S.read_kubespawner = True\nc.KubeSpawner.pod_name_template = "u{userid}"',
        'c.Authenticator.admin_users = {"ada"}\nc.ConfigurableHTTPProxy.should_start = False',
        "c.CryptKeeper.keys = []\nc.SomebodysThing.x = 1\nc.KubeCluster.y = 2",
        "c.Spawner.start_timeout = 600\nc.Spawner.http_timeout = 10",
        "c.Spawner.pre_spawn_hook = lambda spawner: None",
        'S.clusters["a"]["labels"] = {"example.org/team": "data-science"}',
        """S.patches = {"1": "kind: Pod\\nmetadata: {name: '{{key}}'}\\n"
        "spec: {containers: [{name: sidecar, image: example.org/x:1}]}"}""",
    ],
)
def test_what_only_looks_like_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str
) -> None:
    _kubeconfig(tmp_path, monkeypatch, "ctx-a")
    text = f"""{HUB}S = c.MultiClusterKubeSpawner
S.clusters = {{"a": {{"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"}}}}
{extra}
"""
    assert check(configuration(tmp_path, text)).found == []


def test_an_address_of_the_hub_is_missed_for_contexts_of_profiles_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kubeconfig(tmp_path, monkeypatch, "gke", "eks")
    text = f"{HUB}\nc.MultiClusterKubeSpawner.profile_list = {PROFILES!r}\n"
    text += "c.JupyterHub.hub_connect_url = ''\n"
    (missing,) = check(configuration(tmp_path, text)).found
    assert (missing.code, missing.count) == ("MCKS025", 2)


def test_the_hubs_short_name_is_good_in_its_own_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("mcks.backends.generic_kubeconfig.in_cluster", lambda: _inside(tmp_path))
    text = """
c.JupyterHub.spawner_class = "mcks"
c.JupyterHub.hub_connect_url = "http://hub:8081"
c.MultiClusterKubeSpawner.clusters = {"here": {"ingress_public_url": "http://192.0.2.1"}}
"""
    assert check(configuration(tmp_path, text)).found == []


def _inside(directory: Path) -> Any:
    (directory / "ca").write_text("")
    (directory / "token").write_text("x")
    return InCluster("https://192.0.2.3", directory / "token", directory / "ca", "jhub")
