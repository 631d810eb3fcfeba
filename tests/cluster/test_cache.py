"""Built things are built once, and again when what they are made of changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import build, cache


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCKS_CACHE", str(tmp_path / "cache"))


def _touch(directory: Path) -> None:
    (directory / "built").write_text("x")


def test_the_same_inputs_have_the_same_key(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("text")
    (tmp_path / "two").write_text("text")

    assert cache.key(tmp_path / "one", "v1") == cache.key(tmp_path / "two", "v1")


def test_other_inputs_have_other_keys() -> None:
    keys = {cache.key("ab", "c"), cache.key("a", "bc"), cache.key("abc"), cache.key("abd")}

    assert len(keys) == 4


def test_an_entry_is_built_once() -> None:
    built = []

    def make(directory: Path) -> None:
        built.append(directory)

    assert cache.entry("thing", "k", make) == cache.entry("thing", "k", make)
    assert len(built) == 1
    assert cache.is_complete("thing", "k")


def test_a_build_that_failed_is_begun_anew_in_an_empty_directory() -> None:
    def fail(directory: Path) -> None:
        _touch(directory)
        raise RuntimeError("no luck")

    with pytest.raises(RuntimeError, match="no luck"):
        cache.entry("thing", "k", fail)
    seen: list[list[Path]] = []
    cache.entry("thing", "k", lambda directory: seen.append(list(directory.iterdir())))

    assert seen == [[]]


def test_the_cache_is_where_the_variable_says(tmp_path: Path) -> None:
    assert cache.entry("thing", "k", _touch).is_relative_to(tmp_path / "cache")


def test_the_cache_is_in_the_users_cache_directory_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MCKS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert cache.cache_root() == tmp_path / "mcks"


def test_a_program_that_fails_tells_its_last_words() -> None:
    with pytest.raises(RuntimeError, match=r"exit code 3:\noh no"):
        build.run(["sh", "-c", "echo oh no; exit 3"])


def test_a_step_says_that_it_began_and_how_long_it_took(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with build.step("working"):
        pass

    first, second = capsys.readouterr().err.splitlines()
    assert first == "working ..."
    assert second.startswith("working: done in 0.0")
