"""Kubernetes' events in words for people."""

from __future__ import annotations

import pytest

from mcks.core.servers.events import sentence, step


def event(reason: str, message: str = "words", kind: str = "Normal") -> dict[str, str]:
    return {"type": kind, "reason": reason, "message": message}


def test_known_events_are_told_in_plain_words() -> None:
    assert step(event("Pulling", "Pulling image x")) == (50, "Fetching the server's image")
    assert step(event("FailedScheduling", kind="Warning")) == (
        40,
        "No place in the cluster yet, still looking",
    )


def test_unknown_events_are_told_as_they_are_and_warnings_not_at_all() -> None:
    assert step(event("Resized", "by 2")) == (0, "Resized: by 2")
    assert step(event("AddedInterface", "Add eth0 [10.1.2.3/24]")) is None
    assert step(event("Unhealthy", "probe failed: 10.1.2.3", kind="Warning")) is None


@pytest.mark.parametrize("given", [event("Failed", "x", "Warning"), {}])
def test_the_log_has_everything(given: dict[str, str]) -> None:
    assert sentence(given) == ("Warning Failed: x" if given else "Event :")
