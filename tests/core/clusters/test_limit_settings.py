"""The limits of a cluster: its own, those of all clusters, and values that are none."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Config

from mcks.core.administrator.limits import Limits
from mcks.core.clusters.cluster import Cluster


def test_a_cluster_is_without_limits_unless_it_says_some() -> None:
    assert Cluster("a").limits == Limits()
    said = {"max_servers": 200, "max_starting": 10, "max_per_user": 2, "max_age": 28800}
    assert Cluster("a", **said).limits == Limits(200, 10, 2, 28800)
    assert Cluster("a", max_servers=None).limits == Limits()


def test_a_default_of_all_clusters_can_be_taken_back() -> None:
    config = Config({"Cluster": {"max_servers": 20, "count_other_hubs": True}})
    assert Cluster("a", config=config).limits.max_servers == 20
    assert Cluster("a", config=config).count_other_hubs
    assert Cluster("a", config=config, max_servers=None).limits.max_servers is None


@pytest.mark.parametrize("value", [-1, "20", 2.5, True])
@pytest.mark.parametrize("name", Limits._fields)
def test_a_value_that_is_no_limit_is_refused(name: str, value: Any) -> None:
    with pytest.raises(TraitError, match=f"The '{name}' trait of a Cluster instance must be"):
        Cluster("a", **{name: value})
