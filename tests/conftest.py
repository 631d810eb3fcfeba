"""What all tests share: the clusters, kubectl, and no way out of this machine."""

pytest_plugins = [
    "tests.cluster.fixtures",
    "tests.core.kubectl",
    "tests.hubs",
    "tests.loopback_servers",
    "tests.servers",
    "tests.quick_cluster",
]
