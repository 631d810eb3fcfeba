"""What Zero to JupyterHub makes in the hub's own cluster only is told by its name."""

from __future__ import annotations

import pytest

from mcks.core.checking.of_the_chart import named_in
from mcks.core.objects import Manifest


def test_what_only_the_chart_makes_is_told_with_the_value_that_leaves_it_out() -> None:
    spec = {
        "schedulerName": "jhub-user-scheduler",
        "priorityClassName": "jhub-default-priority",
        "imagePullSecrets": [{"name": "image-pull-secret"}, {"name": "registry"}],
    }
    scheduler, priority, secret = named_in({"spec": spec})
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
    assert list(named_in({"spec": spec})) == []
