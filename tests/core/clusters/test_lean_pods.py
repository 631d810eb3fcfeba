"""What is kept of a Pod is all that is read of one."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mcks.core.clusters import lean_pods
from mcks.core.clusters.lean_pods import _ALL, _SHAPE, lean
from mcks.core.gateways.routes import POD, Target
from mcks.core.knowledge.orphans import HubKnowledge, of_servers, strangers
from mcks.core.labels import HUB_LABEL, KEY_LABEL, USERNAME
from mcks.core.objects import Manifest, ref
from mcks.core.pods import failures, scheduling
from mcks.core.servers.server import Created, located

Path = tuple[str, ...]
NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Read(dict[str, Any]):
    """A dict that notes which of its keys are read, at which place of the whole."""

    def __init__(self, value: dict[str, Any], seen: set[Path], place: Path = ()) -> None:
        super().__init__({k: noting(v, seen, (*place, k)) for k, v in value.items()})
        self.seen, self.place = seen, place

    def get(self, key: str, default: Any = None) -> Any:
        self.seen.add((*self.place, key))
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.seen.add((*self.place, key))
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.seen.add((*self.place, str(key)))
        return super().__contains__(key)


def noting(value: Any, seen: set[Path], place: Path) -> Any:
    if isinstance(value, dict):
        return Read(value, seen, place)
    return [noting(one, seen, place) for one in value] if isinstance(value, list) else value


def pod(*states: dict[str, Any], phase: str = "Running", **status: Any) -> Manifest:
    """A Pod as an API server gives it, with an init container, the server and a sidecar."""
    names = ("prepare", "notebook", "beside")
    containers = [
        {
            "name": name,
            "image": "i:1",
            "env": [{"name": "A"}],
            "ports": [{"name": "notebook-port", "containerPort": 8888, "protocol": "TCP"}],
            "restartPolicyRules": [RULE],
        }
        for name in names
    ]
    statuses = [
        {"name": name, "imageID": "x", "restartCount": 3, "lastState": {}, "state": {}, **state}
        for name, state in zip(names, states, strict=False)
    ]
    conditions = [{"type": "PodScheduled", "status": "True", "lastTransitionTime": "t"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "jupyter-ada",
            "namespace": "ns",
            "uid": "u",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {KEY_LABEL: "jupyter-ada", HUB_LABEL: "h", "app": "jupyterhub"},
            "annotations": {USERNAME: "ada", "cni": "x" * 100},
            "managedFields": [{}],
        },
        "spec": {
            "initContainers": containers[:1],
            "containers": containers[1:],
            "restartPolicy": "OnFailure",
            "volumes": [{"name": "v"}],
            "nodeName": "n",
        },
        "status": {
            "phase": phase,
            "podIP": "192.0.2.7",
            "conditions": conditions,
            "initContainerStatuses": statuses[:1],
            "containerStatuses": statuses[1:],
            **status,
        },
    }


RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
RUNS = {"state": {"running": {"startedAt": "t"}}}


def ended(code: int, reason: str = "Error") -> dict[str, Any]:
    return {"state": {"terminated": {"exitCode": code, "reason": reason, "containerID": "c"}}}


def waits(reason: str, message: str = "words") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


UNSCHEDULED = pod(phase="Pending", conditions=[])
UNSCHEDULED["spec"] = {
    **{name: value for name, value in UNSCHEDULED["spec"].items() if name != "nodeName"},
    "schedulerName": "user-scheduler",
}
UNPLACED = {"type": "PodScheduled", "status": "False", "lastTransitionTime": "t"}
NO_ROOM = {**UNPLACED, "reason": "Unschedulable", "message": "0/1 nodes: 1 Insufficient cpu."}
TAKEN = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC", "message": "m"}


def without_node(condition: dict[str, Any], **status: Any) -> Manifest:
    """A Pod that no node has, as the API server and the scheduler leave it."""
    manifest = pod(phase="Pending", conditions=[condition], **status)
    manifest["spec"] = {**UNSCHEDULED["spec"], "schedulerName": "default-scheduler"}
    for statuses in ("initContainerStatuses", "containerStatuses"):
        del manifest["status"][statuses]
    return manifest


GATED = without_node({**UNPLACED, "reason": "SchedulingGated", "message": "Scheduling is blocked"})
GATED["spec"]["schedulingGates"] = [{"name": "kueue.x-k8s.io/admission"}]
GATED["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = "gpu-queue"
DIRECT = Target("", "/", route=POD)
PODS = [
    pod(phase="Pending", conditions=[]),
    pod(RUNS),
    pod(ended(0), RUNS, RUNS),
    pod(ended(1), phase="Failed"),
    pod(ended(0), ended(137, "OOMKilled"), RUNS),
    pod(ended(0), {**waits("CrashLoopBackOff"), "lastState": ended(1, "OOMKilled")["state"]}, RUNS),
    pod(ended(0), ended(42), RUNS),
    pod(ended(0), waits("ErrImagePull", "not found"), RUNS),
    pod(ended(0), waits("CreateContainerConfigError", 'secret "s" not found'), RUNS),
    pod(phase="Failed", reason="Evicted", message="low on memory"),
    UNSCHEDULED,
    GATED,
    without_node(NO_ROOM),
    without_node(NO_ROOM, nominatedNodeName="n"),
    pod(phase="Failed", conditions=[TAKEN]),
    {"apiVersion": "v1", "kind": "Pod", "metadata": pod()["metadata"]},
]


def judgements(manifest: Manifest) -> Iterator[tuple[str, Any]]:
    """All that is concluded from a Pod of a watch."""
    for name, function in inspect.getmembers(failures, inspect.isfunction):
        if name[0] != "_" and list(inspect.signature(function).parameters) == ["pod"]:
            yield name, function(manifest)
    yield "waits", scheduling.waits_for(manifest)
    yield "unschedulable", scheduling.is_unschedulable(manifest)
    if manifest.get("spec"):
        yield "address", located(DIRECT, manifest).url
    yield "ref", ref(manifest)
    yield "owns", Created("jupyter-ada", "ns", "h").owns(manifest)
    yield "strangers", len(strangers("a", [manifest], HubKnowledge()))
    yield "orphans", of_servers("a", [manifest], HubKnowledge(), "h", NOW)


@pytest.mark.parametrize("manifest", PODS)
def test_what_is_concluded_from_the_whole_is_concluded_from_what_is_kept(
    manifest: Manifest,
) -> None:
    whole = dict(judgements(manifest))
    assert len(whole) > 7
    assert dict(judgements(lean(manifest))) == whole


@pytest.mark.parametrize("manifest", PODS)
def test_all_that_is_read_is_kept(manifest: Manifest) -> None:
    seen: set[Path] = set()
    dict(judgements(noting(manifest, seen, ())))
    assert seen
    assert {path for path in seen if not is_kept(path)} == set()


def is_kept(path: Path) -> bool:
    shape: Any = _SHAPE
    for key in path:
        if shape == _ALL:
            return True
        if not isinstance(shape, dict) or key not in shape:
            return False
        shape = shape[key]
    return True


def size(value: Any) -> int:
    own = sys.getsizeof(value)
    if isinstance(value, dict):
        return own + sum(size(one) for one in value.values())
    return own + sum(map(size, value)) if isinstance(value, list) else own


def test_little_is_kept_and_its_words_are_those_of_all() -> None:
    one, other = lean(pod(ended(0), RUNS, RUNS)), lean(pod(ended(0), RUNS, RUNS))
    assert "volumes" not in one["spec"]
    assert list(one["metadata"]["labels"]) == [KEY_LABEL, HUB_LABEL]
    assert one["status"]["phase"] is other["status"]["phase"]
    assert next(iter(one["metadata"])) is next(iter(other["metadata"]))
    assert size(one) < size(pod(ended(0), RUNS, RUNS))


def test_parts_that_are_equal_are_one_for_all_pods() -> None:
    one, other = lean(pod(ended(0), RUNS, RUNS)), lean(pod(ended(0), RUNS, RUNS))
    assert one["spec"] is other["spec"]
    for part in ("conditions", "initContainerStatuses", "containerStatuses"):
        assert one["status"][part] is other["status"][part]
    assert one["status"] is not other["status"]
    assert one["metadata"]["labels"][KEY_LABEL] is one["metadata"]["name"]


def test_parts_that_differ_are_never_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_pods, "_DIFFERENT", 3)
    monkeypatch.setattr(lean_pods, "_parts", {})
    manifests = [pod(ended(code), RUNS, RUNS) for code in range(8)]
    kept = [lean(manifest) for manifest in manifests]
    assert len(lean_pods._parts) <= 3
    codes = [
        one["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] for one in kept
    ]
    assert codes == list(range(8))


def test_a_pod_without_a_name_is_kept_as_it_is() -> None:
    assert lean({"kind": "Pod", "metadata": {"labels": {HUB_LABEL: "h"}}}) == {
        "kind": "Pod",
        "metadata": {"labels": {HUB_LABEL: "h"}},
    }
