"""What a hub holds for each server that runs; counts of bytes and objects, never seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.scale_memory import Held, of_a_server

BYTES, OBJECTS = 4_500, 11
"""A quarter more than there are."""


@pytest.mark.parametrize(("clusters", "profiles"), [(2, 1), (50, 300)])
@pytest.mark.slow
async def test_a_server_that_runs_holds_little_whatever_the_hub_has(
    tmp_path: Path, clusters: int, profiles: int
) -> None:
    nothing, ours = [
        await of_a_server(kind, tmp_path, clusters=clusters, profiles=profiles)
        for kind in ("nothing", "mcks")
    ]
    beyond = ours - nothing
    assert beyond < Held(BYTES, OBJECTS)
    assert beyond.objects < OBJECTS
