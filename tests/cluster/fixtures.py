"""pytest fixtures on the clusters; a test that asks for one of them is marked ``cluster``.

Where the clusters cannot run, such tests fail if CI=true, and are skipped elsewhere, with the
reason; or they run on the contexts of MCKS_TEST_CONTEXTS, but for those that stop components.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cluster import local_set, machine
from tests.cluster.external import ExternalSet, external_set
from tests.cluster.local_set import LocalSet

Clusters = LocalSet | ExternalSet


@dataclass(frozen=True)
class Namespace:
    """A namespace of the same name in each cluster."""

    name: str
    kubeconfig: Path
    """The hub's: the ServiceAccount with the least Role; its contexts are in this namespace."""


@pytest.fixture(scope="session")
def clusters() -> Iterator[Clusters]:
    """The clusters, up and serving. What this test run brought up, it takes down."""
    if found := external_set():
        yield found
        return
    with ExitStack() as stack:
        try:
            running = stack.enter_context(local_set.in_use())
        except machine.CannotRunHere as error:
            cannot_run(str(error))
        yield running


@pytest.fixture
def local_clusters(clusters: Clusters) -> Iterator[LocalSet]:
    """The clusters, to stop and start components of; all is restored after the test."""
    if not isinstance(clusters, LocalSet):
        cannot_run("This test stops parts of clusters, so it needs the local ones.")
    yield clusters
    clusters.restore()


@pytest.fixture
def namespace(clusters: Clusters, tmp_path: Path) -> Iterator[Namespace]:
    """A fresh namespace in each cluster, gone after the test, with a kubeconfig for the hub."""
    name = f"test-{secrets.token_hex(4)}"
    kubeconfig = tmp_path / "hub.kubeconfig"
    try:
        clusters.prepare_namespace(name)
        clusters.write_hub_kubeconfig(kubeconfig, name)
        yield Namespace(name, kubeconfig)
    finally:
        clusters.restore()
        clusters.remove_namespace(name)


def cannot_run(reason: str) -> NoReturn:
    """Fail in CI, where all must run; skip elsewhere."""
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(reason)
    pytest.skip(reason)
