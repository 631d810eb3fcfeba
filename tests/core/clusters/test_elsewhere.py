"""What cannot mean anything to pods of another cluster."""

from __future__ import annotations

import pytest

from mcks.core.clusters.elsewhere import doubt, made_by_the_chart
from mcks.core.objects import Manifest


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


def test_what_only_the_chart_makes_is_told_with_the_value_that_leaves_it_out() -> None:
    spec = {
        "schedulerName": "jhub-user-scheduler",
        "priorityClassName": "jhub-default-priority",
        "imagePullSecrets": [{"name": "image-pull-secret"}, {"name": "registry"}],
    }
    scheduler, priority, secret = made_by_the_chart({"spec": spec})
    assert scheduler == (
        "the scheduler 'jhub-user-scheduler' is one that Zero to JupyterHub makes in the hub's own "
        "cluster only: set scheduling.userScheduler.enabled: false"
    )
    assert "set scheduling.podPriority.enabled: false" in priority
    assert "the Secret 'image-pull-secret'" in secret


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"schedulerName": "volcano", "priorityClassName": "low"},
        {"schedulerName": "my-scheduler", "imagePullSecrets": [{}]},
    ],
)
def test_what_an_administrator_names_is_not_doubted(spec: Manifest) -> None:
    assert list(made_by_the_chart({"spec": spec})) == []
