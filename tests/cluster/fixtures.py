"""pytest fixtures on the clusters; a test that asks for one of them is marked ``cluster``.

Where the clusters cannot run, such tests fail if CI=true, and are skipped elsewhere, with the
reason; or they run on the contexts of MCKS_TEST_CONTEXTS, but for those that stop components.

Several test runs may share the clusters: each test has a namespace, and each hub a base URL of its
own. Tests that would disturb others are marked ``alone``; one run of those at a time.
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what breaks clusters, before pytest selects by marks."""
    for item in items:
        if "breakable_clusters" in getattr(item, "fixturenames", ()):
            item.add_marker("alone")


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


@pytest.fixture(scope="session")
def local_clusters(clusters: Clusters) -> LocalSet:
    """The clusters, for tests that need more of them than a user's own would give."""
    if not isinstance(clusters, LocalSet):
        cannot_run("This test needs the local clusters.")
    return clusters


@pytest.fixture
def breakable_clusters(local_clusters: LocalSet) -> Iterator[LocalSet]:
    """The clusters for this test alone, to stop and start parts of; all is restored after it."""
    yield local_clusters
    local_clusters.restore()


@pytest.fixture
def namespace(
    clusters: Clusters, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Namespace]:
    """A fresh namespace in each cluster, gone after the test, with a kubeconfig for the hub."""
    name = f"test-{secrets.token_hex(4)}"
    kubeconfig = tmp_path / "hub.kubeconfig"
    try:
        clusters.prepare_namespace(name)
        clusters.write_hub_kubeconfig(kubeconfig, name)
        yield Namespace(name, kubeconfig)
    finally:
        if isinstance(clusters, LocalSet) and "breakable_clusters" in request.fixturenames:
            clusters.restore()
        clusters.remove_namespace(name)


def cannot_run(reason: str) -> NoReturn:
    """Fail in CI, where all must run; skip elsewhere."""
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(reason)
    pytest.skip(reason)
