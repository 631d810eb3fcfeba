"""The file of drained clusters: found without being told, written whole, read while a hub runs."""

from __future__ import annotations

import logging
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from mcks.core.placement.drain_file import NAME, DrainFile, change, database_file, place, read
from mcks.core.placement.drains import PAUSE, Drain, as_text
from mcks.errors import ConfigError

LOG = logging.getLogger("test")


class Clock:
    """Seconds that pass when a test says so."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def write(path: Path, **drained: str) -> None:
    change(path, lambda found: found.update({k: Drain(v) for k, v in drained.items()}))


@pytest.mark.parametrize(
    ("said", "db_url", "where"),
    [
        ("", "sqlite:///jupyterhub.sqlite", NAME),
        ("", "sqlite:////srv/hub/jupyterhub.sqlite", f"/srv/hub/{NAME}"),
        ("", "sqlite+pysqlite:///data/x.db?timeout=3", f"data/{NAME}"),
        ("", "/srv/hub/jupyterhub.sqlite", f"/srv/hub/{NAME}"),
        ("", "sqlite://", NAME),
        ("", "sqlite:///:memory:", NAME),
        ("", "postgresql+psycopg2://hub:pass@db/hub", NAME),
        ("", "no url:// at all", NAME),
        ("/etc/mcks/drained.json", "sqlite:////srv/hub/x.sqlite", "/etc/mcks/drained.json"),
        ("drained.json", "sqlite:////srv/hub/x.sqlite", "drained.json"),
    ],
)
def test_it_is_where_the_setting_says_or_beside_the_database(
    said: str, db_url: str, where: str
) -> None:
    assert place(said, db_url) == Path.cwd() / where


def test_only_sqlite_has_a_file() -> None:
    assert database_file("sqlite:///hub.sqlite") == Path("hub.sqlite")
    assert database_file("mysql://db/hub") is None


def test_a_change_is_there_whole_for_whoever_reads_and_leaves_nothing_beside(
    tmp_path: Path,
) -> None:
    path = tmp_path / NAME
    before = os.umask(0o077)
    try:
        write(path, a="An upgrade")
    finally:
        os.umask(before)
    write(path, b="")
    assert read(path) == {"a": Drain("An upgrade"), "b": Drain()}
    assert [*tmp_path.iterdir()] == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    link = tmp_path / NAME
    link.symlink_to("volume/real.json")
    write(link, a="x")
    assert link.is_symlink()
    assert read(tmp_path / "volume" / "real.json") == read(link) == {"a": Drain("x")}


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere/x\.json cannot be written: No such file"):
        write(tmp_path / "nowhere" / "x.json", a="x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="folder cannot be read: Is a directory"):
        write(tmp_path / "folder", a="x")


def test_a_broken_file_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text("{")
    with pytest.raises(ConfigError, match=f"{NAME}: it is not JSON.*; correct or delete it"):
        write(path, a="x")
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=f"{NAME} cannot be read"):
        write(path, a="x")
    assert [*tmp_path.iterdir()] == [path]


def test_what_fails_in_the_middle_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / NAME
    write(path, a="x")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ConfigError, match="No space left on device"):
        write(path, b="x")
    assert read(path) == {"a": Drain("x")}
    assert [*tmp_path.iterdir()] == [path]


def _many(path: Path, names: list[str]) -> None:
    for name in names:
        write(path, **{name: "x"})


def test_commands_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / NAME
    context = multiprocessing.get_context("spawn")
    names = [[f"c{number}x{i}" for i in range(30)] for number in range(3)]
    processes = [context.Process(target=_many, args=(path, some)) for some in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert set(read(path)) == {name for some in names for name in some}


def test_a_hub_sees_a_change_a_second_later_at_most(tmp_path: Path) -> None:
    path, clock = tmp_path / NAME, Clock()
    file = DrainFile(path, LOG, clock)
    assert file.current() == {}
    write(path, a="An upgrade")
    assert file.current() == {}
    clock.seconds += PAUSE
    assert file.current() == {"a": Drain("An upgrade")}
    path.unlink()
    clock.seconds += PAUSE
    assert file.current() == {}


def test_a_hub_looks_at_the_file_once_a_second_and_reads_it_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, clock, looks, reads = tmp_path / NAME, Clock(), 0, 0
    real_stat, real_read = Path.stat, Path.read_text

    def counted_stat(self: Path) -> os.stat_result:
        nonlocal looks
        looks += 1
        return real_stat(self)

    def counted_read(self: Path) -> str:
        nonlocal reads
        reads += 1
        return real_read(self)

    write(path, a="x")
    monkeypatch.setattr(Path, "stat", counted_stat)
    monkeypatch.setattr(Path, "read_text", counted_read)
    file = DrainFile(path, LOG, clock)
    for _ in range(10):
        for _ in range(1000):
            assert file.current()
        clock.seconds += PAUSE
    assert (looks, reads) == (10, 1)


def test_while_the_file_is_broken_the_last_good_one_holds_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / NAME, Clock()
    write(path, a="An upgrade")
    file = DrainFile(path, LOG, clock)
    file.current()
    caplog.clear()
    whole = path.read_text()
    path.write_text(whole[:20])
    for _ in range(3):
        clock.seconds += PAUSE
        assert file.current() == {"a": Drain("An upgrade")}
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert f"{path}: it is not JSON" in record.getMessage()
    path.write_text(as_text({"b": Drain()}))
    clock.seconds += PAUSE
    assert file.current() == {"b": Drain()}


def test_a_file_that_the_hub_may_not_read_is_no_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    (tmp_path / NAME).mkdir()
    file = DrainFile(tmp_path / NAME, LOG, clock)
    assert file.current() == {}
    assert "cannot be read: Is a directory: what it said before holds" in caplog.text
    (tmp_path / NAME).rmdir()
    write(tmp_path / NAME, a="x")
    clock.seconds += PAUSE
    assert file.current() == {"a": Drain("x")}
    (tmp_path / "file").touch()
    assert DrainFile(tmp_path / "file" / NAME, LOG).current() == {}
    assert "Not a directory" in caplog.text


def test_the_log_tells_who_is_drained_and_who_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / NAME, Clock()
    write(path, a="An upgrade")
    file = DrainFile(path, LOG, clock)
    file.current()
    change(path, lambda found: found.pop("a") and None)
    clock.seconds += PAUSE
    file.current()
    assert [record.getMessage() for record in caplog.records] == [
        "Cluster 'a' takes no new servers. An upgrade.",
        "Cluster 'a' takes new servers again",
    ]


def test_a_pipe_in_its_place_holds_up_no_hub(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(tmp_path / "drained")
    assert DrainFile(tmp_path / "drained", logging.getLogger("test")).current() == {}
    assert "drained is a pipe or a device, which would hold up the hub" in caplog.text
