"""Roles that an administrator adds for users are looked at: may they reach others' Secrets?"""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.trying.exposure import exposures


def role(kind: str = "Role", namespace: str | None = None, **rule: Any) -> dict[str, Any]:
    meta = {"name": "r"} | ({"namespace": namespace} if namespace else {})
    rule = {"apiGroups": [""], "verbs": ["create"]} | rule
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, "rules": [rule]}


def binding(kind: str, name: str, of: str = "ClusterRole") -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "b"}, "roleRef": {"kind": of, "name": name}}


@pytest.mark.parametrize(
    ("manifest", "rights"),
    [
        (role(resources=["pods"]), "create pods"),
        (role(resources=["pods/exec"]), "create pods/exec"),
        (role(resources=["secrets"], verbs=["list"]), "read secrets"),
        (role(resources=["secrets"], verbs=["*"]), "read secrets"),
        (role(resources=["jobs"], apiGroups=["batch"]), "create jobs"),
        (
            role(resources=["*"], apiGroups=["*"], verbs=["get"]),
            "read secrets",
        ),
        (
            role(resources=["*"], apiGroups=["batch"], verbs=["*"]),
            "create cronjobs, create jobs",
        ),
    ],
)
def test_a_role_that_reaches_others_secrets_is_told(manifest: dict[str, Any], rights: str) -> None:
    assert exposures([manifest], "jhub") == [f"Role r lets users {rights}"]


@pytest.mark.parametrize("kind", ["RoleBinding", "ClusterRoleBinding"])
def test_a_binding_to_a_powerful_role_of_kubernetes_is_told(kind: str) -> None:
    told = exposures([binding(kind, "edit")], "jhub")
    assert told == [f"{kind} b lets users do all that edit may"]


@pytest.mark.parametrize(
    "manifest",
    [
        role(resources=["pods"], verbs=["get", "list", "delete"]),
        role(resources=["pods/log"], verbs=["get"]),
        role(resources=["pods"], apiGroups=["metrics.k8s.io"]),
        role(resources=["pods"], namespace="of-ada"),
        role(resources=["secrets"], verbs=["get"], resourceNames=["mine"]),
        role(resources=["configmaps"], verbs=["*"]),
        binding("RoleBinding", "view"),
        binding("RoleBinding", "edit", "Role"),
        {"kind": "Pod", "metadata": {"name": "p"}},
    ],
)
def test_what_reaches_nobody_else_is_not_told(manifest: dict[str, Any]) -> None:
    assert exposures([manifest], "jhub") == []


def test_a_cluster_role_reaches_every_namespace() -> None:
    told = exposures([role("ClusterRole", namespace=None, resources=["pods"])], "jhub")
    assert told == ["ClusterRole r lets users create pods"]
