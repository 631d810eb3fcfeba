"""What a hub with many servers asks of its database and clusters; counts, never seconds."""

from __future__ import annotations

from tests.bench.bench_scale import measured, table

SERVERS, CLUSTERS = 40, 2


def test_each_server_is_found_without_a_request_or_a_statement_of_its_own() -> None:
    figures = measured(SERVERS, CLUSTERS)
    assert figures["requests pods list"] == CLUSTERS
    assert figures["requests pods watch"] == CLUSTERS
    assert figures["requests secrets list"] == CLUSTERS
    assert figures["sweep statements"] == 0
    assert figures["holder statements"] == 0
    assert figures["find statements"] <= 2
    assert f"{SERVERS}/{CLUSTERS}" in table({f"{SERVERS}/{CLUSTERS}": figures})
