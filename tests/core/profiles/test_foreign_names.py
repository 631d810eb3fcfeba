"""KubeSpawner's names in hooks and group_overrides break nothing, and are told in the hub's log."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tornado import web

from mcks.core.profiles.foreign_names import DICTS, LISTS
from mcks.core.profiles.kubespawner_traits import TRAITS
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import FunctionFailed
from tests.core.profiles.choosing.common import spawner_of
from tests.core.profiles.side_by_side import kubespawner


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


@pytest.mark.parametrize("name", sorted(TRAITS))
def test_what_nobody_has_set_is_as_empty_as_in_kubespawner(name: str) -> None:
    theirs = getattr(kubespawner([]), name)
    assert (name in LISTS) == isinstance(theirs, list)
    assert (name in DICTS) == isinstance(theirs, dict)


def test_a_hook_may_set_and_change_them_and_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    spawner = spawner_of()
    spawner.node_selector = {"disk": "ssd"}
    spawner.volumes.append({"name": "x"})
    spawner.extra_labels["team"] = "x"
    assert spawner.extra_labels == {"team": "x"}
    assert spawner.service_account is None
    spawner.tell_foreign_names()
    warnings = told(caplog)
    assert len(warnings) == 4
    assert "'node_selector' is KubeSpawner's. Here it is an entry of 'patches'" in warnings[0]
    assert "nodeSelector: {disk: ssd}" in warnings[0]
    spawner.tell_foreign_names()
    assert len(told(caplog)) == 4
    assert spawner.volumes == []


async def test_a_start_tells_them(caplog: pytest.LogCaptureFixture) -> None:
    spawner = spawner_of(listed=[], clusters={})
    spawner.tolerations = [{"key": "gpu"}]
    with pytest.raises(Exception, match=r"configuration"):
        await spawner.start()
    assert any("'tolerations' is KubeSpawner's" in warning for warning in told(caplog))


def test_other_names_stay_unknown() -> None:
    spawner: Any = spawner_of()
    with pytest.raises(AttributeError, match="has no attribute 'userdata'"):
        _ = spawner.userdata


def test_a_subclass_may_use_these_names_for_its_own(caplog: pytest.LogCaptureFixture) -> None:
    class Own(MultiClusterKubeSpawner):
        namespace = "mine"

    spawner = Own(_deprecated_db_session=None)
    spawner.namespace = "other"
    spawner.tell_foreign_names()
    assert (told(caplog), spawner.namespace) == ([], "other")


GROUP = {
    "all": {
        "groups": ["staff"],
        "spawner_override": {
            "node_selector": {"disk": "ssd"},
            "storage_class": "fast",
            "mem_limt": "2G",
            "mem_limit": "1G",
            "environment": {"A": "x"},
        },
    }
}


async def test_a_groups_overrides_do_what_they_can_and_tell_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    spawner = spawner_of("staff", group_overrides=GROUP, environment={"B": "y"})
    await spawner.apply_group_overrides()
    assert spawner.mem_limit == 2**30
    assert spawner.environment == {"A": "x", "B": "y"}
    assert not {"node_selector", "storage_class", "mem_limt"} & vars(spawner).keys()
    warnings = " ".join(told(caplog))
    for words in (
        "'node_selector' is KubeSpawner's",
        "'storage_class' is KubeSpawner's",
        "unknown trait 'mem_limt'. Did you mean 'mem_limit'",
    ):
        assert words in warnings


async def test_a_groups_function_that_fails_is_named() -> None:
    def fail(_: Any) -> str:
        raise KeyError("x")

    override = {"a": {"groups": ["staff"], "spawner_override": {"mem_limit": fail}}}
    for said, where in ((override, "spawner_override"), (fail, "group_overrides: the function")):
        spawner = spawner_of("staff", group_overrides=said)
        with pytest.raises(FunctionFailed, match=f"{where}.*raised KeyError"):
            await spawner.apply_groups()


async def test_a_group_entry_that_cannot_be_read_is_no_failure_of_the_hub(
    caplog: pytest.LogCaptureFixture,
) -> None:
    spawner = spawner_of("staff", group_overrides={"a": {"groups": ["staff"]}})
    with pytest.raises(web.HTTPError) as caught:
        await spawner.apply_group_overrides()
    assert caught.value.status_code == 400
    assert "group_overrides['a'] must be a dict with" in caplog.text
