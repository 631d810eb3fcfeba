"""What a scrape of a large hub holds; counts, never seconds."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from mcks.metrics import Requests

CLUSTERS = 50
VERBS = ("create", "delete", "discover", "get", "list", "patch", "watch")


def test_requests_to_fifty_clusters_are_told_in_few_lines() -> None:
    requests, registry = Requests(), CollectorRegistry()
    registry.register(requests)
    for number in range(CLUSTERS):
        for verb in VERBS:
            requests.count(f"cluster-{number}", verb, "200", 0.1)
    scraped = generate_latest(registry)
    assert len(scraped) < 140_000
    assert scraped.count(b"\n") <= CLUSTERS * (len(VERBS) + 5 * (len(VERBS) - 2)) + 4


def test_times_are_counted_in_buckets_that_hold_the_smaller_ones() -> None:
    requests, registry = Requests(), CollectorRegistry()
    registry.register(requests)
    for seconds in (0.1, 0.3, 2.0):
        requests.count("west", "get", "200", seconds)
    requests.count("west", "get", "404", 4.0)
    requests.count("west", "watch", "410", 4.0)

    def told(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"cluster": "west", **labels})

    name = "mcks_api_request_seconds"
    buckets = [told(f"{name}_bucket", verb="get", le=le) for le in ("0.3", "3.0", "+Inf")]
    assert buckets == [2, 3, 4]
    assert told(f"{name}_count", verb="get") == 4
    assert told(f"{name}_sum", verb="get") == 6.4
    assert told(f"{name}_count", verb="watch") is None
    assert told("mcks_api_requests_total", verb="get", status="200") == 3
    assert told("mcks_api_requests_total", verb="get", status="404") == 1
    assert requests.counted("west", "get", "200") == 3
    assert requests.counted("west", "get", "500") == 0
    assert told("mcks_api_requests_total", verb="watch", status="410") == 1
