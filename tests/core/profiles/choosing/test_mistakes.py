"""One bad entry of the profile list takes the others from nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.profiles.choosing.common import form_of, refusal, spawner_of, start


def with_a_bad_entry(_: Any) -> list[dict[str, Any]]:
    left = {"display_name": "Filtered", "default": True, "profile_options": {"o": {"choices": {}}}}
    return [left, {"display_name": "日本語", "cluster": "a", "spawner_override": {"image": "j:1"}}]


async def test_one_bad_entry_takes_form_and_start_from_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):
        spawner = spawner_of(listed=with_a_bad_entry)
        html = await form_of(spawner)
        assert 'value="ri-ben-yu"' in html
        assert "Filtered" not in html
        await start(spawner, {})
        assert (spawner.image, spawner.choosing.profile) == ("j:1", "ri-ben-yu")
        assert (await refusal(spawner, {"profile": "filtered"})).status_code == 400
    told = [r.getMessage() for r in caplog.records if "left out" in r.getMessage()]
    place = "A profile is left out, for everybody: profile_list[0]['profile_options']['o']"
    assert [line.partition(" offers nothing")[0] for line in told] == [place]


async def test_a_saved_choice_of_a_bad_entry_becomes_the_default() -> None:
    spawner = spawner_of(listed=with_a_bad_entry, saved={"profile": "filtered"})
    await start(spawner, None)
    assert spawner.choosing.profile == "ri-ben-yu"


async def test_a_list_of_bad_entries_alone_opens_no_hub(caplog: pytest.LogCaptureFixture) -> None:
    spawner = spawner_of(listed=[{"display_name": "a", "defalt": 1}])
    assert "unknown key" in await form_of(spawner)
    refused = await refusal(spawner, {})
    assert "This hub's configuration has a mistake" in refused.log_message
