"""Names, and the file that `up` leaves for later commands."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cluster import names
from tests.cluster.state import ClusterState, SetState, load, state_root, write_private


def _state(root: Path) -> SetState:
    cluster = ClusterState(
        name="a",
        node_ip="10.0.0.1",
        pod_subnet="10.0.0.0/24",
        service_subnet="10.0.1.0/24",
        service_ip="10.0.1.1",
        ports={"apiserver": 20_001},
        api_flags=["--v=2"],
    )
    return SetState("t1", root / "t1", {"a": cluster}, keep=True)


def test_a_saved_state_is_read_back_as_it_was(tmp_path: Path) -> None:
    state = _state(tmp_path)
    state.save()

    assert load("t1", tmp_path) == state


def test_no_state_is_none(tmp_path: Path) -> None:
    assert load("t1", tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 0}', '{"format": 1, "clusters": {}, "new": 1}']
)
def test_a_state_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "t1").mkdir()
    (tmp_path / "t1" / "state.json").write_text(text)

    assert load("t1", tmp_path) is None


def test_private_files_and_their_directory_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"
    write_private(path, "secret")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "abcdefghi", "a/b"])
def test_a_name_that_no_bridge_could_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 8 lower case"):
        names.cluster_names(name)


def test_the_longest_name_fits_into_the_name_of_a_bridge() -> None:
    given = names.cluster_names("abcdefgh")

    assert all(len(link) <= 15 for name in given for link in (name.tag, name.port, name.cable))


def test_a_state_directory_too_long_for_a_socket_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MCKS_STATE", "/" + "x" * 90)

    with pytest.raises(ValueError, match=r"MCKS_STATE: /x+ is longer than"):
        state_root()
