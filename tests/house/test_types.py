"""The type checker sees a start: misspelled attributes of spawners are found, tried on a copy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TYPOS = [
    ("mcks/core/servers/plan.py", "spawner.hub_id,", "spawner.hub_idd,"),
    ("mcks/core/servers/plan.py", "spawner.choosing.profile", "spawner.choosing.profil"),
    ("mcks/core/servers/plan.py", "user = spawner.user", "user = spawner.usr"),
    ("mcks/core/profiles/choosing.py", "spawner.unavailable(", "spawner.unavailble("),
    ("mcks/core/profiles/offer.py", "what.overrides)", "what.overides)"),
    ("mcks/core/administrator/access.py", "spawner.user.groups", "spawner.user.group"),
    ("mcks/core/manifests/variables.py", "source.has_trait(", "source.has_trai("),
    ("mcks/core/hub/fleet.py", "spawner.remembered", "spawner.rememberd"),
    ("mcks/core/hub/fleet.py", "spawner.start_timeout", "spawner.start_time_out"),
    ("mcks/core/hub/removal.py", "spawner.clusters_ever", "spawner.cluster_ever"),
    ("mcks/core/knowledge/database.py", "user.orm_user", "user.orm_usr"),
    ("mcks/core/hub/error_pages.py", "spawner.user.escaped_name", "spawner.user.escapedname"),
]


def _plant(copy: Path, place: str, right: str, wrong: str) -> tuple[str, str]:
    """Write *wrong* once, where *right* is; return the module's line and the misspelled name."""
    module = copy / place
    before, found, after = module.read_text().partition(right)
    assert found, f"{place} has no {right}"
    module.write_text(before + wrong + after)
    name = wrong.rstrip("(),").rpartition(".")[2]
    return f"{place}:{before.count(chr(10)) + 1}", name


@pytest.mark.slow
def test_a_misspelled_attribute_on_the_way_of_a_start_is_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "mcks", tmp_path / "mcks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = [_plant(tmp_path, *typo) for typo in TYPOS]
    told = subprocess.run(
        [sys.executable, "-m", "mypy", "-p", "mcks", "--cache-dir", str(tmp_path / "cache")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1, told.stdout + told.stderr
    for place, name in planted:
        errors = [line for line in told.stdout.splitlines() if line.startswith(f"{place}: error:")]
        assert any(f'has no attribute "{name}"' in line for line in errors), (place, told.stdout)
