"""``mcks check`` tells which clusters are drained, which is no mistake. What is one: checking/."""

from __future__ import annotations

import json

from tests.core.commands.a_hubs_directory import HubsDirectory

DRAINED = '{"drained": {"gpu-east": {"reason": "An upgrade"}, "context:third": {}}}'


def test_drained_clusters_have_a_line_each_and_are_no_finding(hub: HubsDirectory) -> None:
    hub.file.write_text(DRAINED)
    code, answer, _ = hub.mcks("check", "--offline", "--strict")
    assert (code, answer) == (
        0,
        """0 problems found
drained: third takes no new servers.
drained: gpu-east takes no new servers. An upgrade.
""",
    )


def test_programs_read_them_by_their_own_key(hub: HubsDirectory) -> None:
    hub.configure('S.clusters["gpu-west"]["drain"] = True\n')
    _, answer, _ = hub.mcks("check", "--offline", "--json")
    assert json.loads(answer)["drained"] == [
        {"cluster": "gpu-west", "reason": "", "since": "", "by": "setting"}
    ]


def test_a_broken_file_is_told_beside_the_answer(hub: HubsDirectory) -> None:
    hub.file.write_text("{")
    code, answer, told = hub.mcks("check", "--offline")
    assert (code, answer) == (0, "0 problems found\n")
    assert f"{hub.file}: it is not JSON" in told


def test_no_hub_needs_to_be_where_a_configuration_is_checked(hub: HubsDirectory) -> None:
    hub.database.unlink()
    assert hub.mcks("check", "--offline")[:2] == (0, "0 problems found\n")


def test_a_setting_that_cannot_be_meant_is_a_mistake(hub: HubsDirectory) -> None:
    hub.configure(
        "async def later(name):\n    return True\n"
        'S.clusters["gpu-east"]["drain"] = "no"\n'
        'S.clusters["gpu-west"]["drain"] = later\n',
    )
    code, answer, _ = hub.mcks("check", "--offline")
    assert code == 1
    assert "drain 'no' is a text, which users would read as a reason: write True or" in answer
    assert "drain is async, and nobody can await it where it is asked" in answer
    assert "drained:" not in answer
