"""What ResourceQuotas leave, in users' words, and what it takes to read them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from mcks.core.api.client import ClusterClient
from mcks.core.objects import Manifest
from mcks.core.placement.resource_quota import left, read
from mcks.errors import Forbidden
from tests.core.api.client.common import TestBackend, connect
from tests.fakes.loopback import FakeAPIServer, status

QUOTAS = "/api/v1/namespaces/ns/resourcequotas"


def quota(hard: dict[str, Any], used: dict[str, Any], **spec: Any) -> Manifest:
    return {"metadata": {"name": "q"}, "spec": spec, "status": {"hard": hard, "used": used}}


GPU = "requests.nvidia.com/gpu"


@pytest.mark.parametrize(
    ("hard", "used", "words"),
    [
        ({"pods": "10"}, {"pods": "8"}, "2 of 10 servers free"),
        ({"count/pods": "1"}, {}, "1 of 1 server free"),
        ({GPU: "4"}, {GPU: "1"}, "3 GPUs free"),
        ({GPU: "1", "requests.amd.com/gpu": "2"}, {}, "3 GPUs free"),
        ({"requests.google.com/tpu": "1"}, {}, "1 TPU free"),
        ({"requests.nvidia.com/mig-1g.5gb": "7"}, {}, "7 mig-1g.5gb free"),
        ({"limits.memory": "64Gi"}, {"limits.memory": "52Gi"}, "12 GiB memory free"),
        ({"requests.memory": "4G", "limits.memory": "3Gi"}, {}, "3 GiB memory free"),
        ({"memory": "600Mi"}, {"memory": "100Mi"}, "500 MiB memory free"),
        ({"memory": "2Gi"}, {"memory": "3Gi"}, "0 MiB memory free"),
        ({"requests.cpu": "4", "limits.cpu": "8"}, {"requests.cpu": "500m"}, "3.5 CPUs free"),
        ({"cpu": "100"}, {"cpu": "99"}, "1 CPU free"),
        (
            {"pods": "10", GPU: "4", "limits.memory": "64Gi", "services": "5", "secrets": "9"},
            {"pods": "8", GPU: "1", "limits.memory": "52Gi"},
            "2 of 10 servers, 3 GPUs, 12 GiB memory free",
        ),
        ({"services": "5", "requests.storage": "1Ti", "count/jobs.batch": "1"}, {}, ""),
        ({"pods": "what?"}, {}, ""),
        ({}, {}, ""),
    ],
)
def test_what_is_left_is_said_in_users_words(
    hard: dict[str, Any], used: dict[str, Any], words: str
) -> None:
    assert left([quota(hard, used)]) == words


def test_of_several_quotas_the_tightest_counts_for_each_resource() -> None:
    two = [quota({"pods": "10", GPU: "2"}, {"pods": "4"}), quota({"pods": "7", GPU: "9"}, {})]
    assert left(two) == "6 of 10 servers, 2 GPUs free"


@pytest.mark.parametrize(
    "scope",
    [
        {"scopes": ["BestEffort"]},
        {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass"}]}},
    ],
)
def test_a_quota_of_some_pods_only_says_nothing(scope: dict[str, Any]) -> None:
    assert left([quota({"pods": "10"}, {}, **scope)]) == ""


def test_a_quota_that_nobody_has_counted_yet_says_nothing() -> None:
    assert left([{"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}]) == ""


# -- reading --------------------------------------------------------------------------------


@pytest.fixture
async def server() -> AsyncIterator[FakeAPIServer]:
    async with FakeAPIServer().running() as server:
        yield server


@pytest.fixture
async def client(server: FakeAPIServer) -> AsyncIterator[ClusterClient]:
    from mcks.backends.base import Endpoint

    backend = TestBackend(cluster_name="a")
    backend.where = Endpoint(server.url, ca_data=server.ca_data)
    client = await connect(backend)
    yield client
    await client.close()
    await backend.close()


async def test_it_takes_one_request(client: ClusterClient, server: FakeAPIServer) -> None:
    server.objects[f"{QUOTAS}/q"] = quota({"pods": "3"}, {"pods": "1"})
    assert await read(client, "ns") == "2 of 3 servers free"
    assert server.seen == [("GET", QUOTAS)]


async def test_a_hub_that_may_not_list_them_is_told_so(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(status(403, "Forbidden", "cannot list resource resourcequotas"))
    with pytest.raises(Forbidden, match="resourcequotas"):
        await read(client, "ns")
