"""Every recipe of the documentation works and does what its heading says."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest

from mcks.core.objects import Manifest, ref
from tests import recipes
from tests.core import kubernetes_schemas
from tests.recipes import KEY, ORIGINAL, Recipe

PAGE = recipes.of_the_page()
BY_TITLE = {recipe.title: recipe for recipe in [*PAGE, *ORIGINAL]}


@lru_cache
def without_recipe(route: str) -> dict[str, Manifest]:
    return by_name(Recipe("none", route=route).rendered())


def by_name(objects: list[Manifest]) -> dict[str, Manifest]:
    return {str(ref(manifest)): manifest for manifest in objects}


def pod(title: str, **arguments: Any) -> dict[str, Any]:
    found = by_name(BY_TITLE[title].rendered(**arguments))[f"Pod {KEY}"]
    spec: dict[str, Any] = found["spec"]
    return spec


def test_there_are_many_and_each_has_its_own_title() -> None:
    assert len(PAGE) >= 25
    assert len(BY_TITLE) == len(PAGE) + len(ORIGINAL)


def test_each_block_of_yaml_on_the_page_is_part_of_a_recipe() -> None:
    texts = [text for r in PAGE for text in (*r.objects, *r.patches, *r.once)]
    page = recipes.PAGE.read_text()
    assert page.count("```yaml") + page.count("```jinja") == len(texts)


@pytest.mark.parametrize("recipe", [*PAGE, *ORIGINAL], ids=str)
def test_a_recipe_changes_something_and_kubernetes_knows_all_its_fields(recipe: Recipe) -> None:
    before = without_recipe(recipe.route)
    changed = [m for name, m in by_name(recipe.rendered()).items() if m != before.get(name)]
    assert changed
    for manifest in [*changed, *recipe.prerequisites()]:
        if manifest["kind"] != "HTTPRoute":  # no schema: a custom resource
            kubernetes_schemas.validate(manifest)


def test_what_is_patched_in_does_not_displace_the_notebook() -> None:
    names = [c["name"] for c in pod("A container beside the notebook")["containers"]]
    assert names == ["notebook", "database"]


def test_a_volume_of_another_kind_is_of_that_kind_only() -> None:
    assert pod("Change the kind of a volume")["volumes"] == [{"name": "home", "emptyDir": {}}]


def test_what_is_taken_away_is_not_there() -> None:
    assert "ports" in without_recipe("ingress")[f"Pod {KEY}"]["spec"]["containers"][0]
    spec = pod("Take away what a default has")
    assert spec["containers"][0]["ports"] == []
    assert "terminationGracePeriodSeconds" not in spec


def test_a_list_that_is_replaced_holds_what_the_patch_says() -> None:
    ports = pod("Put a list in the place of another")["containers"][0]["ports"]
    assert [port["containerPort"] for port in ports] == [8888, 8787]


def test_a_patch_for_one_profile_does_nothing_in_others() -> None:
    title = "Only in one profile"
    assert pod(title, profile="large")["nodeSelector"] == {"example.org/size": "large"}
    assert "nodeSelector" not in pod(title, profile="small")


def test_an_optional_patch_does_nothing_where_its_object_is_absent() -> None:
    patch = BY_TITLE["Change an HTTPRoute"].patches
    assert by_name(Recipe("", patches=patch).rendered()) == without_recipe("ingress")


def test_the_servers_own_secret_stays_first_in_its_environment() -> None:
    sources = pod("Environment from a Secret")["containers"][0]["envFrom"]
    assert [source["secretRef"]["name"] for source in sources] == [KEY, "object-store"]


def test_our_annotations_do_not_get_into_the_object() -> None:
    route = by_name(BY_TITLE["Change an HTTPRoute"].rendered())[f"HTTPRoute {KEY}"]
    assert not [name for name in route["metadata"]["annotations"] if name.startswith("mcks.")]
    assert route["spec"]["rules"][0]["timeouts"]["backendRequest"] == "0s"


def test_a_mistaken_indentation_gives_the_whole_pod_resources_as_kubectl_would() -> None:
    [title] = [recipe.title for recipe in ORIGINAL if recipe.title.startswith("memory")]
    spec = pod(title)
    assert spec["resources"] == {"requests": {"memory": "16Mi"}}
    assert spec["containers"][0]["resources"] == {}
