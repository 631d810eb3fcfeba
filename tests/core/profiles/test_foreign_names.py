"""KubeSpawner's names in hooks and group_overrides break nothing, and are told in the hub's log."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tornado import web

from mcks.core.kubespawner.words import WITHOUT_EFFECT
from mcks.core.profiles.kubespawner_traits import TRAITS
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import FunctionFailed
from tests.core.profiles.choosing.common import spawner_of
from tests.core.profiles.side_by_side import kubespawner


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


@pytest.mark.parametrize("name", sorted(WITHOUT_EFFECT))
def test_what_has_no_effect_is_nothing_to_add_to_in_kubespawner_either(name: str) -> None:
    assert not isinstance(getattr(kubespawner([]), name), list | dict)
    assert getattr(spawner_of(), name) is None
    assert name in TRAITS


def test_a_hook_may_set_and_change_them_and_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    spawner = spawner_of()
    spawner.node_selector = {"disk": "ssd"}
    spawner.events_enabled = False
    assert spawner.dns_name_template is None
    spawner.tell_foreign_names()
    warnings = told(caplog)
    assert len(warnings) == 2
    assert "'events_enabled' is KubeSpawner's. Here it is nothing" in warnings[0]
    spawner.tell_foreign_names()
    assert len(told(caplog)) == 2
    assert spawner.node_selector == {"disk": "ssd"}


async def test_a_start_tells_them(caplog: pytest.LogCaptureFixture) -> None:
    spawner = spawner_of(listed=[], clusters={})
    spawner.events_enabled = True
    with pytest.raises(Exception, match=r"configuration"):
        await spawner.start()
    assert any("'events_enabled' is KubeSpawner's" in warning for warning in told(caplog))


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
    assert "namespace" not in spawner.words()


GROUP = {
    "all": {
        "groups": ["staff"],
        "spawner_override": {
            "node_selector": {"disk": "ssd"},
            "events_enabled": True,
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
    assert spawner.node_selector == {"disk": "ssd"}
    assert not {"events_enabled", "mem_limt"} & vars(spawner).keys()
    warnings = " ".join(told(caplog))
    for words in (
        "'events_enabled' is KubeSpawner's",
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


def test_these_names_are_no_attributes_of_the_class_nor_does_their_lookup_cost_others() -> None:
    spawner = spawner_of()
    for name in sorted(WITHOUT_EFFECT):
        assert hasattr(spawner, name)
        assert not hasattr(MultiClusterKubeSpawner, name)
    assert not hasattr(MultiClusterKubeSpawner, "__getattr__")
