"""What importing the spawner does not load: a hub pays for it at its start, needed or not."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


@pytest.mark.parametrize(
    ("made", "loaded"),
    [("make()", False), ("asyncio.run(in_a_hub())", True)],
    ids=["by hand", "hub"],
)
def test_a_hubs_first_spawner_begins_what_its_first_start_needs(made: str, loaded: bool) -> None:
    program = (
        "import asyncio, sys\n"
        "from mcks.core.spawner import MultiClusterKubeSpawner as make\n"
        "async def in_a_hub() -> None: make()\n"
        f"{made}\n"
        "print({'kubernetes_asyncio.client', 'mcks.core.servers.plan'} <= set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(loaded)
