"""What importing the spawner does not load: a hub pays for it at its start, needed or not."""

from __future__ import annotations

import subprocess
import sys

SELDOM = {"slugify", "kubernetes_asyncio", "google.auth", "boto3", "azure.identity", "aiohttp.web"}
"""Slow to import, and needed by some hubs, or not before the first server."""


def test_the_spawner_is_imported_without_what_it_seldom_needs() -> None:
    program = (
        "import sys, jupyterhub.spawner; before = set(sys.modules); import mcks.core.spawner;"
        "print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "mcks.core.servers.plan" in loaded
    assert not loaded & SELDOM
