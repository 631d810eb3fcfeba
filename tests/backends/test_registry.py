"""Backends are found by entry point, ours exactly as strangers'."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcks.backends.base import Backend
from mcks.backends.registry import backend_class, installed
from mcks.errors import ConfigError, MissingDependency, UnknownBackend


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Install a package of one module with one entry point."""

    def install(entry: str, source: str) -> None:
        (tmp_path / "stranger_cloud.py").write_text(textwrap.dedent(source))
        info = tmp_path / "stranger_cloud-1.0.dist-info"
        info.mkdir()
        (info / "entry_points.txt").write_text(f"[mcks.backends]\nstranger = {entry}\n")
        monkeypatch.syspath_prepend(str(tmp_path))

    yield install
    sys.modules.pop("stranger_cloud", None)


def test_our_own_backend_is_found() -> None:
    cls = backend_class("generic-kubeconfig")
    assert issubclass(cls, Backend)
    assert "context" in cls.settings()
    assert installed()["generic-kubeconfig"].endswith(":GenericKubeconfigBackend")


def test_an_unknown_backend_lists_the_installed_ones_with_near_matches() -> None:
    with pytest.raises(UnknownBackend, match="Did you mean 'generic-kubeconfig'") as failure:
        backend_class("generic-kubecfg")
    assert "Known:" in str(failure.value)


def test_a_stranger_backend_is_loaded(plugin: Callable[[str, str], None]) -> None:
    plugin(
        "stranger_cloud:Cloud",
        """
        from mcks.backends.base import Backend, Endpoint
        from mcks.auth.credential import Credential
        class Cloud(Backend):
            async def endpoint(self): return Endpoint("https://localhost")
            async def mint(self): return Credential(token="t")
        """,
    )
    assert backend_class("stranger").__name__ == "Cloud"
    assert installed()["stranger"] == "stranger_cloud:Cloud"


def test_a_broken_package_is_named(plugin: Callable[[str, str], None]) -> None:
    plugin("stranger_cloud:Cloud", "import no_such_module_at_all")
    with pytest.raises(ConfigError, match="stranger_cloud:Cloud of the package stranger_cloud"):
        backend_class("stranger")


def test_a_missing_dependency_passes_through(plugin: Callable[[str, str], None]) -> None:
    plugin(
        "stranger_cloud:Cloud",
        """
        from mcks.errors import MissingDependency
        raise MissingDependency("pip install stranger[sdk]")
        """,
    )
    with pytest.raises(MissingDependency):
        backend_class("stranger")


def test_what_is_no_backend_is_refused(plugin: Callable[[str, str], None]) -> None:
    plugin("stranger_cloud:Cloud", "class Cloud: pass")
    with pytest.raises(ConfigError, match="not a subclass"):
        backend_class("stranger")
