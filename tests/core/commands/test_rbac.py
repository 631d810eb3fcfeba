"""``mcks rbac`` prints the least Role that a cluster's servers need of the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mcks.core.cli import main


def test_rbac_prints_a_cluster_role_if_each_user_has_a_namespace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_file = tmp_path / "jupyterhub_config.py"
    config_file.write_text(
        "c.MultiClusterKubeSpawner.clusters = {'a': {'namespace': 'u-{{userid}}'}}\n"
    )
    assert main(["rbac", "a", "-f", str(config_file), "--user", "hub"]) == 0
    role, binding = yaml.safe_load_all(capsys.readouterr().out)
    assert (role["kind"], binding["kind"]) == ("ClusterRole", "ClusterRoleBinding")
    assert "namespace" not in role["metadata"]
    verbs = ["create", "delete", "get"]
    assert {"apiGroups": [""], "resources": ["namespaces"], "verbs": verbs} in role["rules"]


@pytest.mark.parametrize(("isolate", "granted"), [("True", True), ("False", False), (None, True)])
def test_rbac_grants_networkpolicies_unless_the_cluster_is_known_not_to_isolate(
    isolate: str | None, granted: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "jupyterhub_config.py"
    entry = f"{{'namespace': 'jhub', 'isolate': {isolate}}}"
    file.write_text(f"c.MultiClusterKubeSpawner.clusters = {{'a': {entry}}}\n")
    named = ["a", "-f", str(file)] if isolate else []
    assert main(["rbac", *named, "--user", "hub"]) == 0
    role, _ = yaml.safe_load_all(capsys.readouterr().out)
    rule = {"resources": ["networkpolicies"], "verbs": ["create", "delete", "get"]}
    assert ({"apiGroups": ["networking.k8s.io"], **rule} in role["rules"]) is granted


@pytest.mark.parametrize(
    ("capacity", "granted"), [("'resource-quota'", True), ("lambda _: 'x'", False), ("''", False)]
)
def test_rbac_grants_resourcequotas_only_if_the_form_tells_of_them(
    capacity: str, granted: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "jupyterhub_config.py"
    entry = f"{{'namespace': 'jhub', 'capacity': {capacity}}}"
    file.write_text(f"c.MultiClusterKubeSpawner.clusters = {{'a': {entry}}}\n")
    assert main(["rbac", "a", "-f", str(file), "--user", "hub"]) == 0
    role, _ = yaml.safe_load_all(capsys.readouterr().out)
    rule = {"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["list"]}
    assert (rule in role["rules"]) is granted


@pytest.mark.parametrize(
    ("of_cluster", "of_profile", "granted"),
    [
        ({"max_age": 60}, {}, True),
        ({}, {"cluster": "a", "max_age": 60}, True),
        ({}, {"clusters": ["b", "a"], "max_age": 60}, True),
        ({}, {"cluster": "b", "max_age": 60}, False),
        ({}, {"cluster": "a"}, False),
    ],
)
def test_rbac_grants_the_making_of_events_only_where_servers_end_by_age(
    of_cluster: dict[str, Any],
    of_profile: dict[str, Any],
    granted: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clusters = {"a": {"namespace": "jhub", **of_cluster}, "b": {"namespace": "jhub"}}
    file = tmp_path / "jupyterhub_config.py"
    file.write_text(
        f"c.MultiClusterKubeSpawner.clusters = {clusters}\n"
        f"c.MultiClusterKubeSpawner.profile_list = [{ ({'display_name': 'P', **of_profile}) }]\n"
    )
    assert main(["rbac", "a", "-f", str(file), "--user", "hub"]) == 0
    role, _ = yaml.safe_load_all(capsys.readouterr().out)
    rule = {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}
    assert (rule in role["rules"]) is granted


@pytest.mark.parametrize(
    ("capacity", "words"),
    [("'resource-quotas'", "expected a callable or any of"), ("7", "not the int 7")],
)
def test_a_capacity_that_is_neither_a_function_nor_known_is_told(
    capacity: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "jupyterhub_config.py"
    entry = f"{{'namespace': 'jhub', 'capacity': {capacity}}}"
    file.write_text(f"c.MultiClusterKubeSpawner.clusters = {{'a': {entry}}}\n")
    assert main(["rbac", "a", "-f", str(file), "--user", "hub"]) == 1
    err = capsys.readouterr().err
    assert "clusters['a']: The 'capacity' trait" in err
    assert words in err


def test_rbac_prints_a_role_for_each_kind_of_identity(capsys: pytest.CaptureFixture[Any]) -> None:
    assert main(["rbac", "--serviceaccount", "hub:hub", "--namespace", "n"]) == 0
    out = capsys.readouterr().out
    assert "kind: ServiceAccount" in out
    assert "namespace: hub" in out
    assert main(["rbac", "--user", "ada@example.org"]) == 0
    assert "kind: User" in capsys.readouterr().out
