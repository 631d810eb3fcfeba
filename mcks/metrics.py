"""Prometheus series of mcks, on the hub's own /metrics.

Few, and of low cardinality: clusters, verbs and statuses, never users, servers or object names.
What a number means for a user, and alerts, do not belong here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

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

GATEWAY_AVAILABLE = Gauge(
    "mcks_gateway_available",
    "1, or 0 while a cluster's gateway answers nothing and starts there are refused",
    ["cluster"],
)

_BUCKETS = (0.3, 3.0)
"""Few, because each is a line for every cluster and verb: slow, and too slow."""
_UNTIMED = frozenset({"discover", "watch"})
"""Verbs whose answer tells nothing of how quick a cluster is."""


class Requests(Collector):
    """Requests to API servers, counted and timed.

    The client library's own series would be twice as many lines (each with the time at which it
    began), each with a lock of its own.
    """

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str, str], list[float]] = {}
        """By cluster, verb and status: how many in each bucket, how many in none, the sum of
        seconds."""

    def count(self, cluster: str, verb: str, status: str, seconds: float) -> None:
        """Count a request whose answer took *seconds*."""
        times = self._answers.get((cluster, verb, status))
        if times is None:
            times = self._answers[cluster, verb, status] = [0.0] * (len(_BUCKETS) + 2)
        times[bisect_left(_BUCKETS, seconds)] += 1
        times[-1] += seconds

    def counted(self, cluster: str, verb: str, status: str) -> int:
        """Return how many requests had that answer."""
        return int(sum(self._answers.get((cluster, verb, status), ())[:-1]))

    def describe(self) -> list[Metric]:
        """Name the series before there are any."""
        return [
            Metric(
                "mcks_api_requests",
                "Requests to Kubernetes API servers by their answer: an HTTP status, or "
                "'unreachable'",
                "counter",
            ),
            Metric(
                "mcks_api_request_seconds",
                "Seconds until the answer of a Kubernetes API server, but for watches and the "
                "discovery of kinds",
                "histogram",
            ),
        ]

    def collect(self) -> Iterator[Metric]:
        """Give all lines; it may be called by a thread while others count."""
        requests, seconds = self.describe()
        all_times: dict[tuple[str, str], list[float]] = {}
        for (cluster, verb, status), times in sorted(self._answers.copy().items()):
            labels = {"cluster": cluster, "verb": verb, "status": status}
            requests.add_sample("mcks_api_requests_total", labels, sum(times[:-1]))
            if verb not in _UNTIMED:
                others = all_times.get((cluster, verb), [0.0] * len(times))
                all_times[cluster, verb] = [sum(both) for both in zip(others, times, strict=True)]
        yield requests
        for (cluster, verb), times in all_times.items():
            _add_times(seconds, {"cluster": cluster, "verb": verb}, times)
        yield seconds


def _add_times(metric: Metric, labels: dict[str, str], times: list[float]) -> None:
    *counts, total = times
    seen = 0.0
    for bound, count in zip((*map(str, _BUCKETS), "+Inf"), counts, strict=True):
        seen += count
        metric.add_sample(f"{metric.name}_bucket", {**labels, "le": bound}, seen)
    metric.add_sample(f"{metric.name}_count", labels, seen)
    metric.add_sample(f"{metric.name}_sum", labels, total)


REQUESTS = Requests()
REGISTRY.register(REQUESTS)
