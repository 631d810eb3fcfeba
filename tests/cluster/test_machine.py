"""What is missing is said once, early, with what to do instead."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.cluster import debian, external, fixtures, machine


def test_without_root_and_go_the_message_names_both_and_the_alternative(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(machine.CannotRunHere) as caught:
        machine.require()

    text = str(caught.value)
    assert "they need root" in text
    assert "`go` is not installed" in text
    assert 'MCKS_TEST_CONTEXTS="ctxA=https://a.example.org,ctxB=' in text


def test_another_operating_system_is_the_only_thing_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    assert machine.missing() == ["they run on Linux, and this is darwin"]


def test_packages_that_nobody_may_install_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "missing_packages", lambda: ["containerd", "runc"])
    monkeypatch.setattr(debian, "can_install", lambda: False)

    assert "these Debian packages are not installed: containerd, runc" in machine.missing(need=())


def test_kubelets_are_known_by_their_sockets() -> None:
    line = "0000: 00000002 00000000 00010000 0001 01 123 "
    socket = "/var/lib/kubelet/device-plugins/kubelet.sock"

    assert machine.kubelets_in(f"Num RefCount\n{line}{socket}\n{line}{socket}\n") == 2
    assert machine.kubelets_in(f"Num RefCount\n{line}{socket}.old\n{line}\n") == 0


def test_contexts_of_the_developers_own_clusters_are_read() -> None:
    text = "kind-a=http://a.test:80, kind-b=http://b.test/?x=1"

    assert external.contexts(text) == [
        ("kind-a", "http://a.test:80"),
        ("kind-b", "http://b.test/?x=1"),
    ]


@pytest.mark.parametrize("text", ["a", "a=http://a", "a=http://a,b", "=http://a,b=http://b"])
def test_contexts_that_are_not_two_with_urls_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be two contexts with the public URL"):
        external.contexts(text)


def test_a_test_that_cannot_run_is_skipped_on_a_desk_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no clusters"):
        fixtures.cannot_run("no clusters")

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no clusters"):
        fixtures.cannot_run("no clusters")
