"""What works today and will not last is a warning: clocks, versions, certificates."""

from __future__ import annotations

import re

import pytest
from traitlets.config import Config

from mcks.core.trying import certificates
from tests.core.trying.common import Cluster, checked


async def test_a_clock_that_differs_is_a_warning(config: Config, cluster: Cluster) -> None:
    cluster.clock_offset = 120
    step = (await checked(config))["connect"]
    assert step.result == "warning"
    assert re.search("the hub's clock is 1[12][09] s behind the server's", step.what)
    assert "set it right" in step.to_do


async def test_a_cluster_that_is_too_old_is_a_warning(config: Config, cluster: Cluster) -> None:
    cluster.objects["/version"] = {"gitVersion": "v1.24.9-gke.1"}
    step = (await checked(config))["connect"]
    assert (step.result, step.to_do) == ("warning", "upgrade the cluster")


async def test_an_api_server_whose_certificate_ends_soon_is_a_warning(
    config: Config, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "SOON", 10 * 365_000)
    step = (await checked(config))["connect"]
    assert step.result == "warning"
    assert re.search(r"127\.0\.0\.1:\d+: its certificate ends in \d+ days", step.what)
    assert "renew the certificate" in step.to_do
