"""What a Pod without a place waits for, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.objects import Manifest
from mcks.core.pods.scheduling import (
    NEW_MACHINE,
    NOTHING_TOLD,
    Growth,
    Kind,
    Told,
    is_unschedulable,
    looking,
    waits_for,
)

NO_GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are ..."
NO_VOLUME = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."


def pod(
    spec: dict[str, Any] | None = None, labels: dict[str, str] | None = None, **status: Any
) -> Manifest:
    return {
        "metadata": {"name": "k", "labels": labels or {}},
        "spec": spec or {},
        "status": {"phase": "Pending", **status},
    }


def unscheduled(message: str = NO_GPU, **status: Any) -> Manifest:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return pod(conditions=[{**condition, "message": message}], **status)


def event(reason: str, when: str = "2026-01-01T00:00:10Z", message: str = "words") -> Manifest:
    return {"reason": reason, "message": message, "lastTimestamp": when}


def told(*events: Manifest) -> Told:
    known = NOTHING_TOLD
    for one in events:
        known = known.then(one)
    return known


KUEUE = "kueue.x-k8s.io/admission"
QUEUE = {"kueue.x-k8s.io/queue-name": "gpu-queue"}


@pytest.mark.parametrize(
    ("gates", "labels", "now", "in_vain"),
    [
        ([KUEUE], QUEUE, "In the queue of gpu-queue", "still in the queue of gpu-queue when"),
        ([KUEUE], {}, "In the queue of Kueue", "still in the queue of Kueue when"),
        (
            [KUEUE, "kueue.x-k8s.io/topology"],
            QUEUE,
            "In the queue of gpu-queue",
            "still in the queue of gpu-queue when",
        ),
        (
            ["kueue.x-k8s.io/topology"],
            QUEUE,
            "Kueue is choosing the server's machine",
            "Kueue did not choose a machine for your server in time.",
        ),
        (
            ["example.org/quota", "example.org/image"],
            {},
            "In the queue of example.org/quota, example.org/image",
            "still in the queue of example.org/quota, example.org/image when",
        ),
    ],
)
def test_behind_a_scheduling_gate_a_pod_is_in_a_queue(
    gates: list[str], labels: dict[str, str], now: str, in_vain: str
) -> None:
    gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
    spec = {"schedulingGates": [{"name": gate} for gate in gates]}
    waiting = waits_for(pod(spec, labels, conditions=[gated]))
    assert waiting is not None
    assert (waiting.kind, waiting.now) == (Kind.QUEUE, now)
    assert in_vain in waiting.in_vain
    assert all(gate in waiting.said for gate in gates)
    assert not is_unschedulable(pod(spec, labels, conditions=[gated]))


def test_a_pod_for_which_there_is_no_node_says_what_the_nodes_lack() -> None:
    waiting = waits_for(unscheduled())
    assert waiting is not None
    assert waiting.kind is Kind.PLACE
    assert waiting.now == (
        "No place in the cluster yet, still looking: no machine has enough free GPUs"
    )
    assert (waiting.percent, waiting.now) == looking(NO_GPU)
    assert waiting.in_vain == (
        "The cluster has no place for your server: no machine has enough free GPUs. Try again "
        "later, or choose another profile."
    )
    assert waiting.said == NO_GPU
    assert is_unschedulable(unscheduled())


def test_words_that_nobody_knows_are_told_without_a_reason() -> None:
    waiting = waits_for(unscheduled("what is this"))
    assert waiting is not None
    assert waiting.now == "No place in the cluster yet, still looking"
    assert "for your server: no machine is right for it. Try" in waiting.in_vain
    assert waiting.said == "what is this"


def test_a_machine_that_is_being_added_is_told_with_the_autoscalers_words_for_the_log() -> None:
    waiting = waits_for(unscheduled(), told(event("TriggeredScaleUp", message="group 1->2")))
    assert waiting is not None
    assert waiting.growing
    assert (waiting.percent, waiting.now) == NEW_MACHINE
    assert "GPUs, and the machine that is being added did not come in time." in waiting.in_vain
    assert waiting.said == f"{NO_GPU}\nTriggeredScaleUp: group 1->2"


KARPENTER = "Failed to schedule pod, incompatible requirements, label x does not have known values"


@pytest.mark.parametrize(
    ("events", "growth"),
    [
        ([event("TriggeredScaleUp")], Growth.COMING),
        ([event("Nominated")], Growth.COMING),
        ([event("NotTriggerScaleUp")], Growth.REFUSED),
        ([event("FailedScheduling", message=KARPENTER)], Growth.REFUSED),
        ([event("FailedScheduling", message=NO_GPU)], Growth.NONE),
        ([event("Pulling")], Growth.NONE),
        ([event("TriggeredScaleUp"), event("FailedScaleUp")], Growth.FAILED),
        (
            [event("NotTriggerScaleUp", "2026-01-01T00:00:20Z"), event("TriggeredScaleUp")],
            Growth.REFUSED,
        ),
        (
            [event("NotTriggerScaleUp"), event("TriggeredScaleUp", "2026-01-01T00:00:20Z")],
            Growth.COMING,
        ),
    ],
)
def test_the_autoscalers_last_word_counts_in_whatever_order_events_come(
    events: list[Manifest], growth: Growth
) -> None:
    assert told(*events).growth is growth


@pytest.mark.parametrize(
    "times",
    [
        {"lastTimestamp": "2026-01-01T00:00:20Z", "firstTimestamp": "2026-01-01T00:00:01Z"},
        {"lastTimestamp": None, "eventTime": "2026-01-01T00:00:20.123456Z"},
        {
            "series": {"lastObservedTime": "2026-01-01T00:00:20.5Z"},
            "eventTime": "2026-01-01T00:00:01Z",
        },
        {"metadata": {"creationTimestamp": "2026-01-01T00:00:20Z"}},
    ],
)
def test_the_time_of_an_event_is_wherever_its_writer_puts_it(times: dict[str, Any]) -> None:
    assert told({"reason": "Nominated", **times}).when == "2026-01-01T00:00:20"


def test_what_no_machine_is_added_for_is_hopeless_only_if_a_machine_would_help() -> None:
    refused = told(event("NotTriggerScaleUp", message="1 max node group size reached"))
    waiting = waits_for(unscheduled(), refused)
    assert waiting is not None
    assert waiting.refused
    assert "no machine has enough free GPUs, and no machine is added. Try" in waiting.in_vain
    assert "1 max node group size reached" in waiting.said
    waiting = waits_for(unscheduled(NO_VOLUME), refused)
    assert waiting is not None
    assert not waiting.refused


def test_a_pod_for_which_others_are_ended_waits_for_them() -> None:
    preempting = unscheduled(nominatedNodeName="node-7")
    waiting = waits_for(preempting, told(event("NotTriggerScaleUp")))
    assert waiting is not None
    assert waiting.kind is Kind.PREEMPTION
    assert not waiting.refused
    assert "it ends what has a lower priority" in waiting.now
    assert waiting.said == f"nominated node node-7: {NO_GPU}"


def test_a_pod_that_no_scheduler_has_looked_at_is_not_unschedulable() -> None:
    waiting = waits_for(pod({"schedulerName": "other"}))
    assert waiting is not None
    assert waiting.kind is Kind.PLACE
    assert waiting.now == "Waiting for a place in the cluster"
    assert "no scheduler 'other' has looked at the pod" in waiting.said
    assert not is_unschedulable(pod())


def test_a_node_that_was_found_must_take_the_pod() -> None:
    scheduled = [{"type": "PodScheduled", "status": "True"}]
    waiting = waits_for(pod({"nodeName": "node-7"}, conditions=scheduled))
    assert waiting is not None
    assert waiting.kind is Kind.NODE
    assert waiting.in_vain.startswith("The machine that was found for your server does not take it")
    assert waiting.said == "its node node-7 has not begun with the pod"


@pytest.mark.parametrize(
    "status",
    [
        {"containerStatuses": [{"name": "notebook"}]},
        {"initContainerStatuses": [{"name": "permissions"}]},
        {"phase": "Running"},
        {"phase": "Failed"},
    ],
)
def test_a_pod_that_its_node_has_taken_waits_for_no_place(status: dict[str, Any]) -> None:
    assert waits_for(pod({"nodeName": "node-7"}, **status)) is None


def test_the_steps_to_a_place_only_go_forward() -> None:
    steps = [
        waits_for(pod({"schedulingGates": [{"name": "g"}]})),
        waits_for(unscheduled()),
        waits_for(unscheduled(nominatedNodeName="n")),
        waits_for(unscheduled(), told(event("Nominated"))),
        waits_for(pod({"nodeName": "n"})),
    ]
    percents = [step.percent for step in steps if step is not None]
    assert percents == sorted(set(percents))
    assert len(percents) == len(steps)
