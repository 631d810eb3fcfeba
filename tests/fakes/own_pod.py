"""Lets this process look like a hub in a Pod, whose API server nobody asks."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mcks.auth.service_account import in_cluster
from mcks.backends import generic_kubeconfig
from mcks.core.clusters import hub_pod
from mcks.core.clusters.hub_pod import HubPod

HUB_POD = HubPod("hub-7d9f", "10.1.0.7", "hubs")


def look_like_a_pod(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Give what Kubernetes gives to the Pod ``HUB_POD``, and no kubeconfig."""
    for name, content in (("token", "t0ken"), ("ca.crt", ""), ("namespace", HUB_POD.namespace)):
        (directory / name).write_text(content)
    env = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setattr(generic_kubeconfig, "in_cluster", lambda: in_cluster(env, directory))
    monkeypatch.setattr(hub_pod, "find", lambda namespace: HUB_POD)
    monkeypatch.setattr(socket, "gethostname", lambda: HUB_POD.hostname)
