"""What importing the spawner does not load: a hub pays for it at its start, needed or not."""

from __future__ import annotations

import subprocess
import sys

SELDOM = {
    *("slugify", "kubernetes_asyncio", "google.auth", "boto3", "azure.identity", "aiohttp.web"),
    *(
        "jinja2.sandbox",
        "mcks.core.servers.plan",
        "mcks.core.api.client",
        "mcks.core.checking",
        "mcks.core.conversion",
    ),
}
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
    assert "mcks.core.settings" in loaded
    assert not loaded & SELDOM


def test_a_hubs_first_spawner_begins_what_its_first_start_needs() -> None:
    program = (
        "import asyncio, sys\n"
        "from mcks.core.spawner import MultiClusterKubeSpawner\n"
        "async def in_a_hub() -> None: MultiClusterKubeSpawner()\n"
        "needed = {'kubernetes_asyncio.client', 'mcks.core.servers.plan'}\n"
        "MultiClusterKubeSpawner()\n"
        "assert not needed & set(sys.modules), 'a command that asks no cluster needs none'\n"
        "asyncio.run(in_a_hub())\n"
        "assert needed <= set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
