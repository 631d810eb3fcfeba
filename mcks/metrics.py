"""Prometheus series of mcks, on the hub's own /metrics.

Few, and of low cardinality: clusters, verbs and statuses, never users, servers or object names.
What a number means for a user, and alerts, do not belong here.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

API_REQUESTS = Counter(
    "mcks_api_requests",
    "Requests to Kubernetes API servers by their answer: an HTTP status, or 'unreachable'",
    ["cluster", "verb", "status"],
)

API_SECONDS = Histogram(
    "mcks_api_request_seconds",
    "Seconds until the answer of a Kubernetes API server; opening a watch counts, its life not",
    ["cluster", "verb"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
)

LAST_CONTACT = Gauge(
    "mcks_last_contact_timestamp_seconds",
    "Unix time of the last word from a cluster to the watch of its servers",
    ["cluster"],
)

MINTS = Counter(
    "mcks_credential_mints",
    "Credentials asked of a cloud, plug-in or file, by result: 'ok' or 'error'",
    ["cluster", "result"],
)

CLUSTER_AVAILABLE = Gauge(
    "mcks_cluster_available",
    "1 while starts are let through to a cluster, 0 while it is left alone after failures",
    ["cluster"],
)


@cache
def _of_requests(cluster: str, verb: str, status: str) -> tuple[Counter, Histogram]:
    return API_REQUESTS.labels(cluster, verb, status), API_SECONDS.labels(cluster, verb)


def count_request(cluster: str, verb: str, status: str, seconds: float) -> None:
    """Count a request whose answer took *seconds*."""
    requests, times = _of_requests(cluster, verb, status)
    requests.inc()
    times.observe(seconds)
