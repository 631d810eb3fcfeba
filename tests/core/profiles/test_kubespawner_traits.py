"""Each of the installed KubeSpawner's traits has the same name here, or something else instead."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
import yaml
from kubespawner import KubeSpawner
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.pool import Pool
from mcks.core.objects import Manifest
from mcks.core.profiles.kubespawner_traits import TRAITS, instead_of
from mcks.core.servers import plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError
from tests.core import kubernetes_schemas

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "kubespawner.md"
OURS = set(MultiClusterKubeSpawner.class_trait_names(config=True))
PATCHES = {name: instead.patch for name, instead in TRAITS.items() if instead.patch}


def row(name: str) -> str:
    """Return the line of the page's table for KubeSpawner's trait *name*."""
    instead = TRAITS[name]
    if not instead.patch:
        return f"| `{name}` | {instead.advice} |"
    patch = yaml.safe_load(instead.patch.replace("{{key}}", "key"))
    kind = patch.pop("kind")
    del patch["metadata"]["name"]
    short = {key: value for key, value in patch.items() if value}
    text = yaml.safe_dump(short, default_flow_style=True, width=10_000, sort_keys=False)
    return f"| `{name}` | patch the {kind}: `{text.strip()[1:-1]}` |"


def test_every_trait_is_ours_as_well_or_has_something_instead() -> None:
    theirs = set(KubeSpawner.class_trait_names(config=True))
    assert theirs - OURS == set(TRAITS)


def test_the_page_has_a_line_for_each_trait_that_is_not_ours() -> None:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    traits = [line for line in lines if line.split("`")[1] in TRAITS]
    assert sorted(traits) == sorted(row(name) for name in TRAITS)


def test_the_page_names_the_traits_that_are_the_same() -> None:
    text = PAGE.read_text()
    same = OURS & set(KubeSpawner.class_own_traits(config=True))
    assert len(same) > 5
    assert {name for name in same if f"`{name}`" not in text} == set()


def pod_and_service(patches: dict[str, str]) -> dict[str, Manifest]:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {
        "c": {"context": "x", "ingress_public_url": "http://192.0.2.1"}
    }
    config.MultiClusterKubeSpawner.patches = patches
    spawner = sample_spawner(config, "ada")
    planned = plan.make(spawner, spawner.configured(Pool(config, logging.getLogger("test"))))
    return {manifest["kind"]: manifest for manifest in planned.objects}


@pytest.mark.parametrize("name", sorted(PATCHES))
def test_a_patch_changes_the_pod_and_keeps_the_notebook(name: str) -> None:
    before, after = pod_and_service({}), pod_and_service({"1": PATCHES[name]})
    assert after["Pod"] != before["Pod"]
    assert {k: v for k, v in after.items() if k != "Pod"} == {
        k: v for k, v in before.items() if k != "Pod"
    }
    assert "notebook" in [c["name"] for c in after["Pod"]["spec"]["containers"]]
    kubernetes_schemas.validate(after["Pod"])


def test_all_patches_apply_together() -> None:
    assert len(pod_and_service({f"{n:03}": p for n, p in enumerate(PATCHES.values())})) == 5


@pytest.mark.parametrize("name", sorted(TRAITS))
def test_an_override_of_such_a_trait_says_what_to_write_instead(name: str) -> None:
    config = Config()
    profile = {"display_name": "x", "spawner_override": {name: None}}
    config.MultiClusterKubeSpawner.profile_list = [profile]
    with pytest.raises(ConfigError, match=f"{name!r} is KubeSpawner's. Here it is ") as caught:
        asyncio.run(sample_spawner(config, "ada").apply_profile({}))
    assert str(caught.value).endswith(instead_of(name, None))


def test_what_is_nobodys_trait_has_nothing_instead() -> None:
    assert instead_of("imagee") == ""
