"""Which state of a Pod is hopeless, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.gateways.routes import Target
from mcks.core.objects import Manifest, Ref
from mcks.core.pods import failures


def pod(phase: str = "Pending", *containers: dict[str, Any], **status: Any) -> Manifest:
    statuses = [{"name": "notebook", **c} for c in containers]
    return {
        "kind": "Pod",
        "metadata": {"name": "k"},
        "status": {"phase": phase, "containerStatuses": statuses, **status},
    }


def waiting(reason: str, message: str = "words", **more: Any) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


def ended(code: int, reason: str = "Error") -> dict[str, Any]:
    return {"state": {"terminated": {"exitCode": code, "reason": reason}}}


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (pod("Pending", waiting("ImagePullBackOff")), "image"),
        (pod("Pending", waiting("ErrImageNeverPull")), "image"),
        (pod("Pending", waiting("InvalidImageName")), "image"),
        (pod("Pending", waiting("CreateContainerConfigError")), "container-config"),
        (pod("Running", waiting("CrashLoopBackOff", restartCount=2)), "crash"),
        (
            pod(
                "Running",
                waiting(
                    "CrashLoopBackOff",
                    restartCount=3,
                    lastState={"terminated": {"reason": "OOMKilled"}},
                ),
            ),
            "oom",
        ),
        (pod("Failed", reason="Evicted", message="low on memory"), "evicted"),
        (pod("Failed", ended(137, "OOMKilled")), "oom"),
        (pod("Succeeded", ended(0)), "ended"),
    ],
)
def test_hopeless_pods_are_recognised(manifest: Manifest, reason: str) -> None:
    verdict = failures.hopeless(manifest)
    assert verdict is not None
    assert verdict.reason == reason
    assert verdict.message.endswith(".")


@pytest.mark.parametrize(
    "manifest",
    [
        pod(),
        pod("Pending", waiting("ContainerCreating")),
        pod("Pending", waiting("ErrImagePull")),
        pod("Running", waiting("CrashLoopBackOff", restartCount=1)),
        pod("Running", {"state": {"running": {}}}),
        pod(
            "Pending",
            waiting(
                "CreateContainerConfigError",
                "failed to sync secret cache: timed out waiting for the condition",
            ),
        ),
        pod("Pending", waiting("CreateContainerError", 'name "n" is reserved for "0f"')),
        pod("Pending", waiting("CreateContainerError", "context deadline exceeded")),
        {"kind": "Pod", "metadata": {"name": "k"}},
    ],
)
def test_while_there_is_hope_nothing_is_said(manifest: Manifest) -> None:
    assert failures.hopeless(manifest) is None


@pytest.mark.parametrize(
    ("said", "absent"),
    [
        ('secret "s" not found', Ref("v1", "Secret", "s", "n")),
        ('configmap "m" not found', Ref("v1", "ConfigMap", "m", "n")),
        ("couldn't find key k in Secret n/s", None),
        ("container has runAsNonRoot and image will run as root", None),
    ],
)
def test_what_the_kubelet_misses_is_named_so_that_it_can_be_looked_for(
    said: str, absent: Ref | None
) -> None:
    manifest = pod("Pending", waiting("CreateContainerConfigError", said))
    manifest["metadata"]["namespace"] = "n"
    verdict = failures.hopeless(manifest)
    assert verdict is not None
    assert verdict.absent == absent


RUNNING: dict[str, Any] = {"state": {"running": {}}}
BESIDE = {"name": "database", **RUNNING}


def with_spec(manifest: Manifest, policy: str) -> Manifest:
    spec = {"restartPolicy": policy, "containers": [{"name": "notebook"}]}
    return {**manifest, "spec": spec}


def deleted(manifest: Manifest) -> Manifest:
    meta = {**manifest["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    return {**manifest, "metadata": meta}


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (with_spec(pod("Running", ended(0), BESIDE), "OnFailure"), 0),
        (with_spec(pod("Running", ended(3), BESIDE), "Never"), 3),
        (with_spec(pod("Running", ended(3), BESIDE), "OnFailure"), None),
        (with_spec(pod("Running", RUNNING, {**BESIDE, **ended(0)}), "Never"), None),
        (deleted(with_spec(pod("Running", ended(143), BESIDE), "Always")), 143),
        (
            with_spec(
                pod("Running", ended(0), initContainerStatuses=[{"name": "proxy", **RUNNING}]),
                "OnFailure",
            ),
            0,
        ),
        (
            pod("Running", RUNNING, initContainerStatuses=[{"name": "notebook", **ended(0)}]),
            None,
        ),
    ],
)
def test_a_server_has_ended_when_its_own_container_has_whatever_runs_beside_it(
    manifest: Manifest, code: int | None
) -> None:
    assert failures.exit_code(manifest) == code
    verdict = failures.hopeless(manifest)
    assert (verdict is not None) is (code is not None)


def test_a_start_whose_server_ended_beside_a_living_container_says_how() -> None:
    verdict = failures.hopeless(with_spec(pod("Running", ended(0), BESIDE), "OnFailure"))
    assert verdict is not None
    assert verdict.reason == "ended"
    assert verdict.details == "container 'notebook' ended with exit code 0 (Error)"


def test_a_pod_that_somebody_deletes_during_its_start_was_removed_and_did_not_just_end() -> None:
    verdict = failures.hopeless(deleted(pod("Running", ended(143))))
    assert verdict is not None
    assert verdict.reason == "gone"


CRASHING = waiting("CrashLoopBackOff", restartCount=2)
OOM = {"lastState": {"terminated": {"reason": "OOMKilled"}}}


@pytest.mark.parametrize(
    ("manifest", "reason", "named"),
    [
        (
            pod("Running", RUNNING, {"name": "database", **CRASHING}),
            "crash",
            "The container 'database' beside the server ends as soon as it is started",
        ),
        (
            pod("Running", RUNNING, {"name": "database", **CRASHING, **OOM}),
            "oom",
            "The container 'database' beside the server needed more memory than its limit",
        ),
        (
            pod("Pending", initContainerStatuses=[{"name": "permissions", **CRASHING}]),
            "crash",
            "The container 'permissions' that prepares the server ends as soon",
        ),
        (
            pod("Failed", initContainerStatuses=[{"name": "permissions", **ended(1)}]),
            "ended",
            "The container 'permissions' that prepares the server ended before it was ready",
        ),
        (
            pod("Pending", {"name": "database", **waiting("ErrImageNeverPull")}),
            "image",
            "The image of this server's container 'database' could not be pulled.",
        ),
    ],
)
def test_what_another_container_does_is_not_blamed_on_the_server(
    manifest: Manifest, reason: str, named: str
) -> None:
    verdict = failures.hopeless(manifest)
    assert verdict is not None
    assert verdict.reason == reason
    assert verdict.message.startswith(named)
    assert verdict.container in named
    assert repr(verdict.container) in verdict.details


def test_the_memory_of_another_container_is_no_last_word_of_the_server() -> None:
    beside = {"name": "database", **OOM, **RUNNING}
    assert failures.last_words(pod("Running", ended(0), beside)) == ""
    assert "more memory" in failures.last_words(pod("Running", ended(137, "OOMKilled"), beside))


TIMED_OUT = 'failed to resolve reference "r/x:1": dial tcp: lookup r: i/o timeout'


def test_an_image_that_may_come_later_is_waited_for_with_words() -> None:
    scheduled = {"conditions": [{"type": "PodScheduled", "status": "True"}]}
    manifest = pod("Pending", waiting("ImagePullBackOff", TIMED_OUT), **scheduled)
    assert failures.hopeless(manifest) is None
    percent, words = failures.phase(manifest)
    assert percent == 50
    assert words == (
        "The image of this server could not be fetched yet: the name of its registry is not "
        "found at the moment. The cluster tries again"
    )
    late = failures.late(manifest)
    assert late.reason == "image"
    assert late.message.endswith("The reason: the name of its registry is not found at the moment.")
    assert TIMED_OUT in late.details


def test_a_pod_that_no_scheduler_has_looked_at_names_the_scheduler_that_is_missing() -> None:
    manifest = pod("Pending", spec={"schedulerName": "jhub-user-scheduler"})
    manifest["spec"] = manifest["status"].pop("spec")
    late = failures.late(manifest)
    assert late.reason == "no-place"
    assert late.details == (
        "no scheduler 'jhub-user-scheduler' has looked at the pod: let it run in this cluster, or "
        "leave that to 'default-scheduler'"
    )
    manifest["spec"] = {}
    assert failures.late(manifest).details.endswith(
        "'default-scheduler' has looked at the pod: let it run in this cluster"
    )
    manifest["status"]["conditions"] = [{"type": "PodScheduled", "status": "False"}]
    assert failures.late(manifest).details == "the pod is unschedulable"


TAKEN = {"type": "DisruptionTarget", "status": "True"}
EVICTED = "The cluster needed the server's place and evicted it. Start it again."
PREEMPTED = "What has a higher priority took the server's place in the cluster. Start it again."
NODE_LOST = "The cluster lost the machine that the server was on. Start it again."


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({"conditions": [{**TAKEN, "reason": "EvictionByEvictionAPI"}]}, EVICTED),
        ({"conditions": [{**TAKEN, "reason": "TerminationByKubelet"}]}, EVICTED),
        ({"conditions": [{**TAKEN, "reason": "PreemptionByScheduler"}]}, PREEMPTED),
        ({"conditions": [{**TAKEN, "reason": "DeletionByTaintManager"}]}, NODE_LOST),
        ({"conditions": [{**TAKEN, "reason": "DeletionByPodGC"}]}, NODE_LOST),
        ({"conditions": [{**TAKEN, "type": "TerminationTarget"}]}, EVICTED),
        (
            {"reason": "NodeLost", "message": "Node n which was running pod is unresponsive"},
            NODE_LOST,
        ),
        ({"reason": "NodeShutdown", "message": "Pod was rejected"}, EVICTED),
        ({"reason": "Preempting"}, PREEMPTED),
    ],
)
def test_a_pod_that_its_cluster_takes_away_is_evicted_while_it_goes_and_when_it_has_gone(
    status: dict[str, Any], told: str
) -> None:
    going = deleted(pod("Pending", waiting("ContainerCreating"), **status))
    for verdict in (
        failures.hopeless(going),
        failures.vanished(going),
        failures.hopeless(pod("Failed", ended(143), **status)),
    ):
        assert verdict is not None
        assert (verdict.reason, verdict.message) == ("evicted", told)
        words = status.get("reason") or status["conditions"][0].get("reason", "TerminationTarget")
        assert words in verdict.details


def test_a_pod_that_somebody_deletes_has_gone_and_is_not_waited_for() -> None:
    going = failures.hopeless(deleted(pod("Pending", waiting("ContainerCreating"))))
    assert going is not None
    assert going.reason == "gone"
    assert failures.vanished(None) == failures.GONE
    stale = {"conditions": [{**TAKEN, "status": "False", "reason": "PreemptionByScheduler"}]}
    assert failures.vanished(pod("Pending", **stale)).reason == "gone"


@pytest.mark.parametrize("reason", ["OutOfcpu", "OutOfnvidia.com/gpu", "UnexpectedAdmissionError"])
def test_a_pod_that_its_node_refuses_has_found_no_place(reason: str) -> None:
    verdict = failures.hopeless(pod("Failed", reason=reason, message="Pod was rejected: words"))
    assert verdict is not None
    assert verdict.reason == "no-place"
    assert verdict.details == f"{reason} Pod was rejected: words"


def test_what_the_last_server_left_is_named_with_what_an_administrator_may_do() -> None:
    verdict = failures.still_ending(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "jupyter-ada",
                "namespace": "hub",
                "deletionTimestamp": "2026-01-01T00:00:00Z",
                "finalizers": ["example.org/f"],
            },
            "spec": {"nodeName": "node-7"},
        }
    )
    assert verdict.reason == "not-ended"
    assert verdict.message.startswith("Your last server has not ended yet in this cluster.")
    for said in (
        "Pod jupyter-ada in namespace hub on node node-7",
        "since 2026-01-01T00:00:00Z",
        "example.org/f",
        "kubectl delete node node-7",
        "kubectl delete pod jupyter-ada -n hub --force",
        "only when the machine is off for sure",
    ):
        assert said in verdict.details


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (pod("Running", {"state": {"running": {}}}), None),
        (pod("Pending"), None),
        (pod("Running", ended(1)), None),
        (pod("Succeeded", ended(0)), 0),
        (pod("Failed", ended(137)), 137),
        (pod("Failed", reason="Evicted"), 1),
    ],
)
def test_the_exit_code_is_that_of_the_notebooks_container(
    manifest: Manifest, code: int | None
) -> None:
    assert failures.exit_code(manifest) == code


def test_phases_only_go_forward() -> None:
    scheduled = {"conditions": [{"type": "PodScheduled", "status": "True"}]}
    steps = [
        None,
        pod(),
        pod("Pending", **scheduled),
        pod("Running", {"state": {"running": {}}}, **scheduled),
    ]
    percents = [failures.phase(step)[0] for step in steps]
    assert percents == sorted(set(percents))


@pytest.mark.parametrize(
    ("route", "message", "details"),
    [
        ("ingress", "its cluster's gateway does not show it", "/user/ada/api gave HTTP 404"),
        ("service", "the hub does not reach it", 'gave HTTP 404 (route = "service"): the hub must'),
        ("pod", "the hub does not reach it", "their NetworkPolicies must let hub and proxy in"),
    ],
)
def test_a_server_that_does_not_answer_is_told_by_the_way_to_it(
    route: str, message: str, details: str
) -> None:
    verdict = failures.not_shown(Target("http://h:1", "/user/ada/", route=route), "HTTP 404")
    assert message in verdict.message
    assert details in verdict.details


def test_redirects_are_blamed_on_the_server_where_there_is_no_gateway() -> None:
    verdict = failures.redirected(Target("http://h:1", "/user/ada/", route="pod"), "HTTP 302 to x")
    assert "it sends requests to another address" in verdict.message
    assert "ingress_public_url" not in verdict.details
