"""What a hub with many servers asks of its database and clusters; counts, never seconds."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mcks.core.spawner import MultiClusterKubeSpawner
from tests.bench.bench_scale import further, growth, measured, table
from tests.bench.scale_hub import configuration
from tests.bench.scale_plots import PLOTS, lines, svg
from tests.bench.scale_storm import STARTS, TUNED
from tests.bench.spawn_process import make

SERVERS, CLUSTERS = 40, 2
CALLS = 1_600
"""A fifth more than there are when a spawner is made."""


@pytest.mark.slow
def test_each_server_is_found_without_a_request_or_a_statement_of_its_own() -> None:
    figures = measured(SERVERS, CLUSTERS)
    assert figures["requests pods list"] == CLUSTERS
    assert figures["requests pods watch"] == CLUSTERS
    assert figures["requests secrets list"] == CLUSTERS
    assert figures["requests gateway connections"] <= 2 * CLUSTERS
    assert figures["requests API server connections"] <= 3 * CLUSTERS
    assert figures["sweep statements"] == 0
    assert figures["holder statements"] == 0
    assert figures["find statements"] <= 2
    starts = min(STARTS, SERVERS)
    made = ("secrets", "serviceaccounts", "services", "ingresses", "pods")
    assert {f"storm {what} post": figures[f"storm {what} post"] for what in made} == {
        f"storm {what} post": starts for what in made
    }
    assert figures["storm secrets patch"] == starts
    assert figures["storm pods delete"] == figures["storm secrets delete"] == starts
    assert figures["storm pods list"] == figures["storm pods watch"] == 0
    assert figures["storm statements"] == 0
    assert figures["watched storm events watch"] <= CLUSTERS
    assert 0 < figures["watched storm events list"] <= starts
    assert f"{SERVERS}/{CLUSTERS}" in table({f"{SERVERS}/{CLUSTERS}": figures})


def test_a_spawner_is_made_with_few_calls_of_functions_most_of_them_of_traitlets() -> None:
    config = configuration({"c0": "https://c0.example.org"}, profiles=300)
    make(MultiClusterKubeSpawner, config, "first")
    profile = cProfile.Profile()
    with profile:
        for number in range(10):
            make(MultiClusterKubeSpawner, config, f"user-{number}")
    stats = pstats.Stats(profile)
    assert stats.total_calls / 10 < CALLS  # type: ignore[attr-defined]


@pytest.mark.slow
def test_kubespawner_stands_beside_the_size_of_one_cluster() -> None:
    theirs = measured(SERVERS, 1, kind="kubespawner")
    assert theirs["find statements"] == 0
    assert theirs["storm pods post"] == theirs["storm pods delete"] == min(STARTS, SERVERS)
    size, other = f"{SERVERS}/1", f"{SERVERS}/{CLUSTERS}"
    lines = table({size: {"form ms": 1.0}, other: {}}, {size: theirs}).splitlines()
    assert lines[0].split() == ["servers/clusters", size, "KubeSpawner", other, "goal"]
    told = {line[:40].strip(): line[58:94].split() for line in lines[1:]}
    assert told["form of 300 profiles: CPU, ms"] == ["1", f"{theirs['form ms']:.4g}", "-"]
    assert told["metrics: CPU, ms"] == ["-", "-", "-"]


def test_a_hub_is_tuned_as_its_administrator_is_told() -> None:
    page = Path(__file__).parents[2] / "docs" / "explanation" / "scale.md"
    assert f"\ngc.set_threshold{TUNED}\n" in page.read_text()


def test_growth_is_told_for_twice_the_servers_and_twice_the_clusters() -> None:
    figures = {"find cpu s": 1.0, "sweep cpu s": 1.0, "outage cpu s": 1.0}
    results = {
        "1000/10": figures,
        "4000/10": {name: 4 * figure for name, figure in figures.items()},
        "1000/20": {name: 1.1 * figure for name, figure in figures.items()},
    }
    told = list(growth(results))
    assert told[0] == (
        "find all: CPU, s: 1000/10 -> 4000/10: x 4, x 2 for twice the servers (at most 2.2)"
    )
    assert told[-1].endswith("x 1.1, x 1.1 for twice the clusters (at most 1.1)")
    assert len(told) == 6


def test_what_a_further_server_takes_is_told_without_what_is_there_once() -> None:
    results = {
        "1000/10": {"memory kB": 40.0, "objects": 12.0},
        "3000/10": {"memory kB": 20.0, "objects": 10.0},
        "3000/50": {"memory kB": 50.0, "objects": 20.0},
    }
    memory, objects = further(results)
    assert memory.endswith("1000/10 -> 3000/10: 10 for each further server")
    assert objects.endswith("1000/10 -> 3000/10: 9 for each further server")


def test_plots_have_a_line_for_each_number_of_clusters() -> None:
    results = {size: {"memory kB": 20.0} for size in ("1000/1", "1000/10", "3000/10")}
    drawn = lines(results, "memory kB")
    assert [(line.name, len(line.points)) for line in drawn] == [
        ("1 cluster", 1),
        ("10 clusters", 2),
    ]
    for figures in PLOTS.values():
        plot = svg([(title, lines(results, name)) for title, name in figures])
        assert ElementTree.fromstring(plot).tag.endswith("svg")
