"""The referee itself: a vendor's dispatcher is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.kubectl import Kubectl, json_stream, plain_kubectl


def fake(folder: Path, version: str) -> Path:
    """Write an executable that says it is kubectl *version*."""
    answer = json.dumps({"clientVersion": {"gitVersion": version}})
    executable = folder / "kubectl"
    executable.write_text(f"#!/bin/sh\necho '{answer}'\n")
    executable.chmod(0o755)
    return executable


def test_a_dispatcher_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a dispatcher"):
        Kubectl(fake(tmp_path, "v1.32.4-dispatcher"))


def test_the_chosen_kubectl_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCKS_TEST_KUBECTL", str(fake(tmp_path, "v1.33.1")))
    assert plain_kubectl().minor == 33


def test_objects_that_follow_each_other_are_read_with_gos_numbers() -> None:
    text = '{"a": 1}\n{"b": 18446744073709552000}\n'
    assert json_stream(text) == [{"a": 1}, {"b": 2.0**64}]
    assert type(json_stream(text)[1]["b"]) is float
