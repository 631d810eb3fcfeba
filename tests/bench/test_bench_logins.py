"""The bars of `bench_logins` that need no clock: how often clouds are asked for credentials."""

from __future__ import annotations

import pytest

from tests.bench.bench_logins import CLOUDS, CLUSTERS, mints_per_hour

_HOURS = 12


@pytest.mark.parametrize("name", ["gke", "aks"])
async def test_clusters_of_one_identity_share_one_mint_an_hour(name: str) -> None:
    assert 1 <= await mints_per_hour(name, _HOURS) <= CLOUDS[name].bar


async def test_a_doks_cluster_asks_about_once_an_hour() -> None:
    assert CLUSTERS <= await mints_per_hour("doks", _HOURS) <= CLOUDS["doks"].bar


async def test_an_eks_token_is_signed_about_six_times_an_hour() -> None:
    assert 6 * CLUSTERS <= await mints_per_hour("eks", _HOURS) <= CLOUDS["eks"].bar
