"""Contexts for the clusters that the tests of the original's defects name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core import kubeconfigs


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a", "ctx-b")))
