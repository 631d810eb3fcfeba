"""Each bench that needs no cluster runs in small: its figures come out, whatever they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import (
    bench_before,
    bench_candidates,
    bench_form,
    bench_logins,
    bench_patch,
    bench_silent_cloud,
)
from tests.core.kubectl import Kubectl

pytestmark = pytest.mark.slow


def test_the_spawner_of_an_earlier_commit_is_measured(tmp_path: Path) -> None:
    bench_before.unpack("HEAD", tmp_path / "tree")
    figures = bench_before.process(tmp_path / "tree", tmp_path / "bytecode")
    assert len(figures) == 2
    assert all(taken > 0 for taken in figures.values())


async def test_the_form_of_many_profiles_is_measured() -> None:
    measured = await bench_form.measure(users=1)
    assert all(taken > 0 for taken in measured.values())


@pytest.mark.parametrize("weighted", [False, True])
async def test_the_choice_among_candidates_is_measured(weighted: bool) -> None:
    measured = await bench_candidates.measure(rounds=2, weighted=weighted)
    assert all(taken > 0 for taken in measured.values())


def test_a_patch_is_measured_beside_kubectl(kubectl: Kubectl) -> None:
    times = bench_patch.compare(kubectl, runs=6, forks=2)
    assert len(times) == 4
    assert all(str(each) for each in times)


async def test_first_connections_are_measured_beside_a_silent_cloud() -> None:
    found = await bench_silent_cloud.ratios(runs=1)
    assert set(found) == set(bench_silent_cloud.HEALTHY)
    assert all(alone > 0 and beside > 0 for alone, beside in found.values())


async def test_first_logins_are_measured() -> None:
    assert all(block > 0 for block in (await bench_logins.first_logins(runs=1)).values())


def test_importing_the_spawner_imports_no_sdk_of_a_cloud() -> None:
    taken, modules = bench_logins.imported("mcks.core.spawner", runs=1)
    assert taken > 0
    assert not bench_logins.sdks_in(modules)
