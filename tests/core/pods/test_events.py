"""Kubernetes' events in words for people."""

from __future__ import annotations

import pytest

from mcks.core.objects import Ref
from mcks.core.pods.events import is_about, sentence, step, warning


def event(reason: str, message: str = "words", kind: str = "Normal") -> dict[str, str]:
    return {"type": kind, "reason": reason, "message": message}


def test_known_events_are_told_in_plain_words() -> None:
    assert step(event("Pulling", "Pulling image x")) == (50, "Fetching the server's image")
    no_cpu = "0/1 nodes are available: 1 Insufficient cpu."
    assert step(event("FailedScheduling", no_cpu, kind="Warning")) == (
        40,
        "No place in the cluster yet, still looking: no machine has enough free CPU",
    )


@pytest.mark.parametrize(
    "given",
    [
        event("TaintManagerEviction", "Cancelling deletion of Pod ns/jupyter-ada"),
        event("AddedInterface", "Add eth0 [10.1.2.3/24]"),
        event("ResourceAllocated", "Allocated [{eni-0a1b2c}] to the pod"),
        event("Unhealthy", "probe failed: 10.1.2.3", kind="Warning"),
        {},
    ],
)
def test_users_never_read_a_controllers_own_words(given: dict[str, str]) -> None:
    assert step(given) is None


def test_events_of_an_older_pod_of_the_same_name_are_told_apart() -> None:
    assert is_about({"involvedObject": {"uid": "u1"}}, "u1")
    assert not is_about({"involvedObject": {"uid": "u0"}}, "u1")


@pytest.mark.parametrize("given", [event("Failed", "x", "Warning"), {}])
def test_the_log_has_everything(given: dict[str, str]) -> None:
    assert sentence(given) == ("Warning Failed: x" if given else "Event :")


def test_our_own_event_is_about_the_pod() -> None:
    pod = Ref("v1", "Pod", "jupyter-ada", "ns")
    told, again = (warning(pod, "uid", "EndsSoon", "It ends soon") for _ in range(2))
    assert is_about(told, "uid")
    assert not is_about(told, "another")
    assert sentence(told) == "Warning EndsSoon: It ends soon"
    assert told["metadata"]["namespace"] == "ns"
    assert told["metadata"]["name"].startswith("jupyter-ada.")
    assert told["metadata"]["name"] != again["metadata"]["name"]
    assert is_about(warning(pod, None, "EndsSoon", "It ends soon"), "uid")
