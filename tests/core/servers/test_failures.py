"""Which state of a Pod is hopeless, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.objects import Manifest, Ref
from mcks.core.servers import failures


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
