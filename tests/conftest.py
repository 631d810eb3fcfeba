"""What all tests share: the clusters, kubectl, and no way out of this machine."""

import gc
import sys
from collections.abc import Generator

import pytest

sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
"""jsonschema can do without what reads IRIs, which no test has: its grammar took each process a
second."""
gc.disable()  # what is imported stays: looking through it took a third of the collection's time

pytest_plugins = [
    "tests.cluster.fixtures",
    "tests.core.kubectl",
    "tests.hub.hubs",
    "tests.fakes.loopback_servers",
    "tests.hub.servers",
    "tests.hub.places",
    "tests.hub.quick_cluster",
]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search for garbage seldom, and not in what all modules hold: a tenth of the tests' time."""
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000)
        gc.enable()
