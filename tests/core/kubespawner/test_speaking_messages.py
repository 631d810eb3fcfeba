"""What is wrong with KubeSpawner's words is told at the key that they stand under."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.errors import ConfigError
from tests.core.kubespawner.side_by_side import planned, without_switch


async def test_a_mistake_is_told_at_the_key_that_it_stands_under() -> None:
    for key in ("kubespawner_override", "spawner_override"):
        listed = [{"display_name": "x", key: {"mem_limit": "much"}}]
        with pytest.raises(ConfigError, match=f"^profile 'x': {key}: mem_limit: "):
            await planned(without_switch(profile_list=listed))
    choices: dict[str, Any] = {"c": {"kubespawner_override": {"tolerationz": []}}}
    listed = [{"display_name": "x", "profile_options": {"o": {"choices": choices}}}]
    place = r"^profile 'x': profile_options\['o'\].choices\['c'\]: kubespawner_override: unknown"
    with pytest.raises(ConfigError, match=place):
        await planned(without_switch(profile_list=listed))


async def test_a_word_in_mcks_own_override_gets_a_patch_with_its_own_value() -> None:
    listed = [{"display_name": "x", "spawner_override": {"tolerations": [{"key": "mine"}]}}]
    with pytest.raises(ConfigError, match=r"(?s)'tolerations' is Kube.*- key: mine") as caught:
        await planned(without_switch(profile_list=listed))
    assert "a key of 'kubespawner_override'" in str(caught.value)
