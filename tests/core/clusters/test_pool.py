"""A pool knows a cluster by its settings."""

from __future__ import annotations

import logging

from traitlets.config import Config

from mcks.core.clusters.pool import Pool


async def test_a_cluster_whose_settings_are_changed_in_place_is_another_one() -> None:
    pool = Pool(Config(), logging.getLogger("test"))
    clusters = {"a": {"context": "c", "ingress_public_url": "http://g"}}
    before = pool.configured("a", clusters)
    assert pool.configured("a", {"a": dict(clusters["a"])}) is before
    clusters["a"]["ingress_public_url"] = "http://h"
    changed = pool.configured("a", clusters)
    assert changed.cluster.ingress_public_url == "http://h"
    clusters["a"]["ingress_public_url"] = "http://g"
    assert pool.configured("a", clusters) is before
    await pool.close()
