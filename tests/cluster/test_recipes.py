"""A real API server accepts every recipe, with its strictest reading of fields."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from mcks.core.objects import ref
from tests import recipes
from tests.cluster.api import APIAnswer, KubernetesAPI, Object
from tests.cluster.fixtures import Clusters, Namespace
from tests.recipes import KEY, ORIGINAL, Recipe

pytestmark = pytest.mark.cluster


def _try(api: KubernetesAPI, manifest: Object, namespace: str) -> None:
    """Create *manifest* up to the point where it would be stored. Raises APIAnswer."""
    path = api.path(manifest["apiVersion"], manifest["kind"], namespace)
    api.request("POST", path, manifest, query={"dryRun": "All", "fieldValidation": "Strict"})


def _refusals(api: KubernetesAPI, recipe: Recipe, namespace: str) -> Iterator[str]:
    for manifest in recipe.rendered():
        try:
            _try(api, manifest, namespace)
        except APIAnswer as error:
            yield f"{recipe}: {ref(manifest)}: {error}"


@contextmanager
def _created(api: KubernetesAPI, manifest: Object, namespace: str) -> Iterator[None]:
    """Have *manifest* in the cluster; what was there before stays."""
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    there = api.find(manifest["apiVersion"], kind, name, namespace) is not None
    if not there:
        api.create(manifest, namespace)
    try:
        yield
    finally:
        if not there:
            api.delete(manifest["apiVersion"], kind, name, namespace)


def _all_refusals(api: KubernetesAPI, namespace: str) -> list[str]:
    wanted = [*recipes.of_the_page(), *ORIGINAL]
    # a Pod is refused, also in a dry run, until these exist
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": KEY}}
    needed = [account, *(m for recipe in wanted for m in recipe.prerequisites())]
    with ExitStack() as stack:
        for manifest in needed:
            stack.enter_context(_created(api, manifest, namespace))
        return [
            refusal
            for recipe in wanted
            for refusal in _refusals(api, recipe, namespace)
            if f"ServiceAccount {KEY}: 409" not in refusal  # it is there, see above
        ]


async def test_every_recipe_passes_a_dry_run(clusters: Clusters, namespace: Namespace) -> None:
    assert await asyncio.to_thread(_all_refusals, clusters["a"].api, namespace.name) == []


async def test_the_dry_run_would_find_a_misspelt_field(
    clusters: Clusters, namespace: Namespace
) -> None:
    patch = "kind: Service\nmetadata: {name: '{{key}}'}\nspec: {sesionAffinity: None}"
    recipe = Recipe("a misspelt field", patches=[patch])
    [service] = [m for m in recipe.rendered() if m["kind"] == "Service"]
    with pytest.raises(APIAnswer, match=r'unknown field "spec\.sesionAffinity"'):
        await asyncio.to_thread(_try, clusters["a"].api, service, namespace.name)
