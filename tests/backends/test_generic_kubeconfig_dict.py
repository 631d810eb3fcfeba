"""A kubeconfig may be a dict: what would be in a file."""

from __future__ import annotations

import base64
import logging
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from mcks.backends.generic_kubeconfig import GenericKubeconfigBackend
from mcks.core.clusters.configure import configure
from mcks.errors import ConfigError
from tests.backends.reading import read_pod
from tests.fakes.loopback import FakeAPIServer


def document(server: FakeAPIServer, user: dict[str, Any]) -> dict[str, Any]:
    ca = base64.b64encode(server.ca_data).decode()
    cluster = {"server": server.url, "certificate-authority-data": ca}
    return {
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": cluster}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "ns"}}],
        "users": [{"name": "u", "user": user}],
    }


def backend_of(kubeconfig: dict[str, Any], **more: Any) -> GenericKubeconfigBackend:
    return GenericKubeconfigBackend(cluster_name="it", kubeconfig=kubeconfig, **more)


async def test_the_hub_logs_in_by_a_file_that_the_dict_names(
    server: FakeAPIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "not-this-one"))
    (tmp_path / "token").write_text("t0ken")
    server.tokens = {"t0ken"}
    backend = backend_of(document(server, {"tokenFile": str(tmp_path / "token")}))
    assert backend.problems() == []
    assert backend.namespace_hint() == "ns"
    assert await read_pod(backend)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"contexts": []}, "unknown context 'x'"),
        ({"clusters": "c"}, "kubeconfig the dict kubeconfig: clusters must be a list"),
        ({"current-context": None}, "there is no current-context"),
    ],
)
def test_a_mistake_in_it_is_told_with_the_cluster(
    change: dict[str, Any], told: str, server: FakeAPIServer
) -> None:
    (problem,) = backend_of(document(server, {"token": "s3cret"}) | change).problems()
    assert problem.startswith("cluster 'it': ")
    assert told in problem
    assert "s3cret" not in problem


def test_a_wrong_value_is_told_without_what_it_holds() -> None:
    entry = {"kubeconfig": [{"users": "s3cret"}]}
    with pytest.raises(ConfigError) as refused:
        configure("it", {"it": entry}, Config(), logging.getLogger("test"))
    assert "s3cret" not in str(refused.value)
