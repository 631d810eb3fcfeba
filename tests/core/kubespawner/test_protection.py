"""What KubeSpawner kept a server from is compared with what the server's objects keep it from."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes_asyncio.client import V1Container
from traitlets.config import Config

from mcks.core.kubespawner import section
from mcks.core.kubespawner.protection import METADATA, PRIVILEGES, TOKEN, VISITORS, lost
from mcks.core.objects import Manifest

COMMAND = ["iptables", "--append", "OUTPUT", "--destination", "169.254.169.254", "--jump", "DROP"]
BLOCK = {"name": "block-cloud-metadata", "image": "i:1", "command": COMMAND}
CHART = {"hub.jupyter.org/network-access-hub": "true"}


def pod(name: str = "k", **spec: Any) -> Manifest:
    spec = {"containers": [{"name": "notebook"}]} | spec
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def policy(**spec: Any) -> Manifest:
    api = "networking.k8s.io/v1"
    return {"apiVersion": api, "kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": spec}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, [PRIVILEGES, TOKEN]),
        ({"allow_privilege_escalation": False}, [PRIVILEGES, TOKEN]),
        ({"allow_privilege_escalation": True}, [TOKEN]),
        ({"allow_privilege_escalation": None}, [TOKEN]),
        ({"automount_service_account_token": True}, [PRIVILEGES]),
        ({"service_account": "analyst"}, [PRIVILEGES]),
        (
            {"service_account": "analyst", "automount_service_account_token": False},
            [PRIVILEGES, TOKEN],
        ),
        ({"init_containers": [BLOCK]}, [METADATA, PRIVILEGES, TOKEN]),
        ({"init_containers": {"a": BLOCK}}, [METADATA, PRIVILEGES, TOKEN]),
        (
            {"init_containers": [V1Container(name="b", command=COMMAND)]},
            [METADATA, PRIVILEGES, TOKEN],
        ),
        ({"init_containers": [{"name": "n", "image": "i:1"}]}, [PRIVILEGES, TOKEN]),
        ({"extra_labels": CHART}, [METADATA, PRIVILEGES, TOKEN, VISITORS]),
        ({"extra_labels": {"team": "x"}}, [PRIVILEGES, TOKEN]),
    ],
)
def test_a_pod_that_says_nothing_loses_what_kubespawner_or_the_chart_did(
    words: dict[str, Any], expected: list[str]
) -> None:
    assert lost(words, [pod()], "k") == expected


def test_what_was_added_to_a_value_counts_like_one_that_was_set() -> None:
    config = Config()
    config.KubeSpawner.init_containers.append(BLOCK)
    config.KubeSpawner.extra_labels.update(CHART)
    found = lost(section.values(config), [pod()], "k")
    assert found == [METADATA, PRIVILEGES, TOKEN, VISITORS]


NO_ESCALATION = {"name": "notebook", "securityContext": {"allowPrivilegeEscalation": False}}


@pytest.mark.parametrize(
    ("objects", "kept"),
    [
        ([pod(automountServiceAccountToken=False)], TOKEN),
        ([pod(containers=[NO_ESCALATION])], PRIVILEGES),
        ([pod(containers=[NO_ESCALATION, {"name": "beside"}])], PRIVILEGES),
        ([pod(initContainers=[BLOCK])], METADATA),
        ([pod(), policy(policyTypes=["Ingress"])], VISITORS),
    ],
)
def test_what_the_objects_say_is_not_lost(objects: list[Manifest], kept: str) -> None:
    expected = [METADATA, PRIVILEGES, TOKEN, VISITORS]
    expected.remove(kept)
    assert lost({"extra_labels": CHART}, objects, "k") == expected


def test_a_policy_with_rules_for_what_goes_out_is_believed() -> None:
    assert lost({"extra_labels": CHART}, [pod(), policy(egress=[])], "k") == [PRIVILEGES, TOKEN]


def test_another_pod_says_nothing_of_the_servers_own() -> None:
    objects = [pod(), pod("other", automountServiceAccountToken=False)]
    assert TOKEN in lost({}, objects, "k")
