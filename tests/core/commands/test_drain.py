"""``mcks drain`` and ``mcks undrain`` in a hub's directory. A hub that runs: tests/hub."""

from __future__ import annotations

import json

import pytest

from mcks.core.placement.drain_file import read
from tests.core.commands.a_hubs_directory import HubsDirectory, as_process


def test_what_is_drained_is_listed_until_it_is_undrained(hub: HubsDirectory) -> None:
    assert hub.answer("drain") == "0 clusters drained\n"
    said = hub.answer("drain", "gpu-east", "--reason", "An upgrade until noon")
    assert said == (
        "gpu-east is drained: no new servers start there, those that run stay. "
        f"The hub reads it in {hub.file}\n"
    )
    hub.answer("drain", "gpu-west")
    heading, east, west, number = (hub.answer("drain")).splitlines()
    assert heading.split() == ["cluster", "since", "by", "reason"]
    assert east.split()[0::2] == ["gpu-east", "command", "upgrade", "noon."]
    assert west.split()[0::2] == ["gpu-west", "command"]
    assert number == "2 clusters drained"
    assert hub.answer("undrain", "gpu-east") == "gpu-east takes new servers again\n"
    (drained,) = json.loads(hub.answer("drain", "--json"))
    assert drained.pop("since").endswith("Z")
    assert drained == {"cluster": "gpu-west", "reason": "", "by": "command"}


def test_a_second_drain_replaces_the_reason_and_a_second_undrain_does_no_harm(
    hub: HubsDirectory,
) -> None:
    for reason in ("first", "second"):
        hub.answer("drain", "gpu-east", "--reason", reason)
    assert read(hub.file)["gpu-east"].reason == "second"
    assert hub.answer("undrain", "gpu-east") == "gpu-east takes new servers again\n"
    assert hub.answer("undrain", "gpu-east") == "gpu-east was not drained\n"


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("drain", "gpu-eats"), "unknown cluster 'gpu-eats'. Did you mean 'gpu-east'"),
        (("undrain", "gpu-wset"), "unknown cluster 'gpu-wset'. Did you mean 'gpu-west'"),
        (("drain", "--reason", "x"), "--reason is that of a cluster: name the CLUSTER"),
        (("drain", "gpu-east", "--json"), "--json is for the list: leave out the CLUSTER"),
        (("drain", "gpu-east", "--reason", "x" * 301), "at most 300 characters, and this one 301"),
        (("drain", "-f", "nowhere.py"), "there is no configuration nowhere.py"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    hub: HubsDirectory, arguments: tuple[str, ...], wrong: str
) -> None:
    code, answer, told = hub.mcks(*arguments)
    assert (code, answer) == (1, "")
    assert wrong in told
    assert "Traceback" not in told
    assert not hub.file.exists()


def test_a_context_is_called_as_kubectl_calls_it(hub: HubsDirectory) -> None:
    assert (hub.answer("drain", "third")).startswith("third is drained")
    assert set(read(hub.file)) == {"context:third"}
    assert "\nthird " in hub.answer("drain")
    assert hub.answer("undrain", "third") == "third takes new servers again\n"


def test_a_cluster_that_is_configured_no_more_can_be_undrained(hub: HubsDirectory) -> None:
    hub.file.write_text('{"drained": {"gone": {}}}')
    assert "\ngone " in hub.answer("drain")
    assert hub.answer("undrain", "gone") == "gone takes new servers again\n"
    assert read(hub.file) == {}


def test_what_a_setting_drains_is_listed_and_no_command_ends_it(hub: HubsDirectory) -> None:
    hub.configure(
        'S.clusters["gpu-east"]["drain"] = "Old machines"\n'
        'S.clusters["gpu-west"]["drain"] = lambda name: 1 / 0\n',
    )
    code, answer, told = hub.mcks("drain", "--json")
    assert (code, json.loads(answer)) == (
        0,
        [{"cluster": "gpu-east", "reason": "Old machines", "since": "", "by": "setting"}],
    )
    assert "clusters['gpu-west'].drain: the function <lambda> raised ZeroDivisionError" in told
    hub.answer("drain", "gpu-east")
    code, answer, told = hub.mcks("undrain", "gpu-east")
    assert (code, answer) == (1, "")
    assert "gpu-east stays drained: clusters['gpu-east'].drain in the configuration" in told
    assert read(hub.file) == {}


def test_a_default_of_all_clusters_drains_those_that_only_profiles_name_too(
    hub: HubsDirectory,
) -> None:
    hub.configure('c.Cluster.drain = lambda name: name != "gpu-west" and f"{name} rests"\n')
    listed = json.loads(hub.answer("drain", "--json"))
    assert {entry["cluster"]: entry["reason"] for entry in listed} == {
        "gpu-east": "gpu-east rests",
        "third": "context:third rests",
    }


def test_a_file_beside_no_hub_is_never_made(hub: HubsDirectory) -> None:
    hub.database.unlink()
    for arguments in (["drain"], ["drain", "gpu-east"], ["undrain", "gpu-east"]):
        code, _, told = hub.mcks(*arguments)
        assert code == 1
        assert "jupyterhub.sqlite does not exist here: start mcks in the hub's directory" in told
    assert not hub.file.exists()


def test_the_setting_says_where_the_file_is_whatever_the_database(hub: HubsDirectory) -> None:
    hub.configure(
        'c.JupyterHub.db_url = "sqlite:////nowhere/hub.sqlite"\n'
        f"S.drain_file = {str(hub.path / 'other.json')!r}\n",
    )
    hub.answer("drain", "gpu-east")
    assert set(read(hub.path / "other.json")) == {"gpu-east"}
    assert not hub.file.exists()


def test_a_broken_file_is_told_and_left(hub: HubsDirectory) -> None:
    hub.file.write_text("{")
    for arguments in (["drain"], ["drain", "gpu-east"], ["undrain", "gpu-east"]):
        code, _, told = hub.mcks(*arguments)
        assert code == 1
        assert f"{hub.file}: it is not JSON" in told
    assert hub.file.read_text() == "{"


@pytest.mark.slow
def test_as_a_process_each_does_the_same(hub: HubsDirectory) -> None:
    drained = as_process(hub.path, "drain", "gpu-east", "--reason", "An upgrade")
    assert (drained.code, drained.answer.partition(":")[0]) == (0, "gpu-east is drained")
    assert read(hub.file)["gpu-east"].reason == "An upgrade"
    undrained = as_process(hub.path, "undrain", "gpu-east")
    assert undrained[:2] == (0, "gpu-east takes new servers again\n")
    assert as_process(hub.path, "drain", "gpu-eats").code == 1
    assert as_process(hub.path, "undrain").code == 2
