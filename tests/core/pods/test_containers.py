"""Which container of a Pod is the server, and which have ended for good."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.objects import Manifest
from mcks.core.pods import containers
from mcks.core.pods.containers import Role

WAITS: dict[str, Any] = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
RUNS: dict[str, Any] = {"running": {}}


def ended(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": "Error"}}


def pod_of(
    state: dict[str, Any], policy: str = "Always", phase: str = "Running", **notebook: Any
) -> Manifest:
    """A Pod whose server is in this *state*, beside others that run; *notebook* is of its spec."""
    return {
        "kind": "Pod",
        "metadata": {"name": "k"},
        "spec": {
            "restartPolicy": policy,
            "initContainers": [
                {"name": "permissions"},
                {"name": "bucket", "restartPolicy": "Always"},
            ],
            "containers": [{"name": "database"}, {"name": "notebook", **notebook}],
        },
        "status": {
            "phase": phase,
            "initContainerStatuses": [
                {"name": "permissions", "state": ended(0)},
                {"name": "bucket", "state": RUNS},
            ],
            "containerStatuses": [
                {"name": "database", "state": RUNS},
                {"name": "notebook", "state": state, "restartCount": 1},
            ],
        },
    }


@pytest.mark.parametrize("state", [RUNS, ended(0), WAITS])
def test_a_pod_in_which_a_container_has_run_may_have_written(state: dict[str, Any]) -> None:
    pod = pod_of(state)
    pod["spec"]["nodeName"] = "n1"
    assert not containers.none_has_run(pod)
    assert containers.none_has_run(pod_of(state))  # it never had a node


def test_only_what_a_node_says_of_all_containers_is_believed() -> None:
    waits: dict[str, Any] = {"state": {"waiting": {"reason": "PodInitializing"}}}
    pod: Manifest = {"kind": "Pod", "spec": {"nodeName": "n1"}, "status": {}}
    assert not containers.none_has_run(pod)
    pod["status"] = {"containerStatuses": [waits], "initContainerStatuses": [waits]}
    assert containers.none_has_run(pod)
    pod["status"]["containerStatuses"] = [{**waits, "lastState": ended(1)}]
    assert not containers.none_has_run(pod)


def test_each_container_has_a_role_and_the_server_is_found_by_its_name() -> None:
    pod = pod_of(RUNS)
    assert [(one.name, one.role) for one in containers.of(pod)] == [
        ("permissions", Role.BEFORE),
        ("bucket", Role.BESIDE),
        ("database", Role.BESIDE),
        ("notebook", Role.SERVER),
    ]
    server = containers.server_of(pod)
    assert server is not None
    assert server.runs


def test_an_init_container_is_never_the_server_whatever_its_name() -> None:
    pod = pod_of(RUNS)
    pod["status"]["initContainerStatuses"][0]["name"] = "notebook"
    pod["status"]["containerStatuses"] = []
    assert containers.server_of(pod) is None
    assert containers.server_of({"kind": "Pod", "metadata": {"name": "k"}}) is None


ON_42 = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
BUT_ON_42 = {"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [42]}}


@pytest.mark.parametrize(
    ("pod", "stays"),
    [
        (pod_of(RUNS, "Never"), False),
        (pod_of(WAITS, "Never"), False),
        (pod_of(ended(0), "Always"), False),
        (pod_of(ended(3), "Always"), False),
        (pod_of(ended(0), "OnFailure"), True),
        (pod_of(ended(3), "OnFailure"), False),
        (pod_of(ended(0), "Never"), True),
        (pod_of(ended(3), "Never"), True),
        (pod_of(ended(0), "OnFailure", restartPolicy="Always"), False),
        (pod_of(ended(3), "Always", restartPolicy="Never"), True),
        (pod_of(ended(42), "Never", restartPolicyRules=[ON_42]), False),
        (pod_of(ended(41), "Never", restartPolicyRules=[ON_42]), True),
        (pod_of(ended(42), "Never", restartPolicyRules=[BUT_ON_42]), True),
        (pod_of(ended(41), "Never", restartPolicyRules=[BUT_ON_42]), False),
        (pod_of(ended(3), "Always", phase="Failed"), True),
    ],
)
def test_a_container_has_ended_for_good_when_the_kubelet_will_not_start_it_again(
    pod: Manifest, stays: bool
) -> None:
    server = containers.server_of(pod)
    assert server is not None
    assert server.stays_ended is stays


def test_nothing_is_started_again_in_a_pod_that_was_deleted() -> None:
    pod = pod_of(ended(143), "Always")
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    server = containers.server_of(pod)
    assert server is not None
    assert server.stays_ended


@pytest.mark.parametrize("state", [RUNS, ended(1), WAITS])
def test_what_has_run_has_a_log(state: dict[str, Any]) -> None:
    server = containers.server_of(pod_of(state))
    assert server is not None
    assert server.has_run


def test_what_never_ran_has_no_log() -> None:
    pod = pod_of({"waiting": {"reason": "ContainerCreating"}})
    pod["status"]["containerStatuses"][1]["restartCount"] = 0
    server = containers.server_of(pod)
    assert server is not None
    assert not server.has_run
