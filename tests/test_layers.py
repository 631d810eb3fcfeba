"""The list of layers in pyproject.toml is complete; lint-imports checks what it says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def layers() -> list[str]:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contract = next(c for c in linter["contracts"] if c["type"] == "layers")
    return [name for layer in contract["layers"] for name in re.findall(r"[\w.]+", layer)]


def _modules() -> set[str]:
    """All of mcks but the packages' own empty files and what only starts the command."""
    files = [f for f in (ROOT / "mcks").rglob("*.py") if not f.stem.startswith("__")]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files}


def test_every_module_has_a_layer(layers: list[str]) -> None:
    assert _modules() - set(layers) == set()


def test_no_module_has_two_layers(layers: list[str]) -> None:
    assert sorted(layers) == sorted(set(layers))
