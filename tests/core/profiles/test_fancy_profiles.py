"""The form of jupyterhub-fancy-profiles, the real package, in the place of ours."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jupyterhub_fancy_profiles
import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner

LISTED: list[dict[str, Any]] = [
    {"display_name": "Small", "description": "</script><b>", "spawner_override": {"image": "s"}},
    {
        "display_name": "GPU",
        "default": True,
        "profile_options": {
            "image": {
                "display_name": "Image",
                "dynamic_image_building": {"enabled": True},
                "choices": {
                    "z": {"display_name": "Z", "spawner_override": {"environment": {"T": "s3c"}}},
                    "a": {"display_name": "A", "description": "the first letter"},
                },
                "unlisted_choice": {
                    "enabled": True,
                    "display_name": "Own",
                    "display_name_in_choices": "Own one",
                    "description_in_choices": "any",
                    "validation_regex": "a+",
                    "spawner_override": {"image": "{value}"},
                },
            }
        },
    },
]


async def page(base_url: str = "/", switch: bool = False) -> str:
    config = Config()
    config.JupyterHub.base_url = base_url
    config.MultiClusterKubeSpawner.read_kubespawner = switch
    config.MultiClusterKubeSpawner.profile_list = LISTED
    jupyterhub_fancy_profiles.setup_ui(config)
    return str(await sample_spawner(config, "ada").get_options_form())


@pytest.mark.parametrize("switch", [True, False])
async def test_its_script_is_looked_for_below_the_base_url(switch: bool) -> None:
    assert 'src="/x/hub/fancy-profiles/static/dist/form.js"' in await page("/x/", switch)
    assert 'src="/hub/fancy-profiles/static/dist/form.js"' in await page("/", switch)


async def test_its_page_takes_the_place_of_ours() -> None:
    html = await page()
    assert "/fancy-profiles/static/dist/form.js" in html
    assert "mcks-profiles" not in html
    assert Path(jupyterhub_fancy_profiles.TEMPLATE_PATHS[0], "form.html").is_file()


async def test_its_script_gets_the_list_in_order_and_without_overrides() -> None:
    html = await page()
    found = re.search(r"window\.profileList = (.*);", html)
    assert found is not None
    small, gpu = json.loads(found[1])
    assert (small["slug"], small["default"], gpu["default"]) == ("small", False, True)
    image = gpu["profile_options"]["image"]
    assert list(image["choices"]) == ["z", "a"]
    assert image["choices"]["a"]["description"] == "the first letter"
    assert image["dynamic_image_building"] == {"enabled": True}
    assert image["unlisted_choice"] == {
        "enabled": True,
        "display_name": "Own",
        "display_name_in_choices": "Own one",
        "description_in_choices": "any",
        "validation_regex": "a+",
        "validation_message": "",
    }
    assert "s3c" not in html
    assert "override" not in html
    assert "</script><b>" not in html
