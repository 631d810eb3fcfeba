"""Which addresses of the hub cannot mean it to pods behind a gateway."""

from __future__ import annotations

import pytest

from mcks.core.clusters.hub_address import doubt


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8081",
        "http://127.9.9.9",
        "http://[::1]:8081/hub/api",
        "http://0.0.0.0:8081",
        "http://[::]:8081",
        "http://localhost:8081",
        "http://:8081",
    ],
)
def test_a_pod_means_itself_by_these(url: str) -> None:
    assert doubt(url) == "in a pod that is the pod itself"


@pytest.mark.parametrize("url", ["http://hub:8081/hub/api", "http://hub.:8081", "http://HUB"])
def test_a_bare_name_means_nothing_elsewhere(url: str) -> None:
    assert doubt(url).startswith("the name 'hub")
    assert doubt(url).endswith("means nothing in another namespace or cluster")


@pytest.mark.parametrize(
    "url",
    [
        "https://hub.example.org/hub/api",
        "http://hub.jhub:8081",
        "http://hub.jhub.svc.cluster.local:8081",
        "http://10.1.0.5:8081",
        "http://[2001:db8::1]:8081",
    ],
)
def test_these_may_be_the_hub(url: str) -> None:
    assert doubt(url) == ""
