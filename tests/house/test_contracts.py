"""The contracts of pyproject.toml find what they are there for: tried on a copy of mcks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "mcks", tmp_path / "mcks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(module: Path, line: str) -> None:
    """Add *line* to *module*, which is made if it is not there."""
    text = module.read_text() if module.exists() else '"""A planted module."""\n'
    module.write_text(text + line + "\n")


def broken(copy: Path) -> list[str]:
    """Names of the contracts that lint-imports finds broken in *copy*."""
    told = subprocess.run(
        [*LINT, "--no-cache"], cwd=copy, capture_output=True, text=True, check=False
    )
    lines = " ".join(told.stdout.split("Contracts:")[0].split())
    assert "KEPT" in lines, told.stdout + told.stderr
    assert (told.returncode == 0) == ("BROKEN" not in lines)
    parts = lines.split("-------------------------------------")[-1]
    return [part for part in _sentences(parts) if part.endswith("BROKEN")]


def _sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in text.replace("KEPT", "KEPT\n").replace(
        "BROKEN", "BROKEN\n").splitlines()]  # fmt: skip


def test_mcks_as_it_is_keeps_them_all(copy: Path) -> None:
    assert broken(copy) == []


@pytest.mark.slow
@pytest.mark.parametrize("place", ["mcks/core/misc.py", "mcks/misc.py"])
def test_a_module_without_a_place_is_found(copy: Path, place: str) -> None:
    plant(copy / place, "")
    assert broken(copy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("mcks/core/labels.py", "import mcks.core.servers.plan"),
        ("mcks/core/api/status.py", "import mcks.core.clusters.pool"),
        ("mcks/core/profiles/offer.py", "import mcks.core.servers.launch"),
        ("mcks/auth/shared.py", "import mcks.backends.base"),
    ],
)
def test_an_import_upward_or_sideward_is_found(copy: Path, place: str, line: str) -> None:
    plant(copy / place, line)
    assert broken(copy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("mcks/core/manifests/documents.py", "import mcks.core.manifests.render"),
        ("mcks/auth/credential.py", "import mcks.auth.shared"),
    ],
)
def test_a_circle_in_a_folder_is_found(copy: Path, place: str, line: str) -> None:
    plant(copy / place, line)
    assert broken(copy)


@pytest.mark.slow
def test_a_network_in_what_can_be_known_offline_is_found(copy: Path) -> None:
    plant(copy / "mcks/core/servers/environment.py", "import aiohttp")
    assert len(broken(copy)) == 2


@pytest.mark.slow
def test_a_cloud_that_is_named_by_what_serves_all_of_them_is_found(copy: Path) -> None:
    plant(copy / "mcks/backends/stanzas.py", "import mcks.backends.programs.aws")
    assert broken(copy)
