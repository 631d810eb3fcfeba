"""The configuration of the original spawner's README takes effect unchanged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking.config_check import problems
from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.pool import Pool
from mcks.core.objects import Manifest
from mcks.core.servers import plan
from tests.core import kubeconfigs
from tests.peers.original import DASK, PATCHES, PROFILES

SECTIONS = ["MultiClusterKubeSpawner", "MultiClusterKubernetesSpawner", "MultiClusterUserSpawner"]


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "config", "gke", "eks")))


def planned(config: Config, profile: str = "") -> Any:
    assert problems(config) == []
    spawner = sample_spawner(config, "ada", profile)
    asyncio.run(spawner.apply_profile(spawner.user_options))
    return plan.make(spawner, spawner.configured(Pool(config, logging.getLogger("test"))))


def the(objects: list[Manifest], kind: str) -> Manifest:
    (found,) = (m for m in objects if m["kind"] == kind)
    return found


def test_profiles_with_contexts_and_urls_choose_their_cluster() -> None:
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = PROFILES
    first = planned(config)
    second = planned(config, "aws-on-us-east-1")
    assert first.target.url == "http://192.0.2.1"
    assert second.target.url == "http://192.0.2.2"
    assert first.created.namespace == "jhub"


def test_the_memory_patch_of_a_profile_is_taken_as_kubectl_takes_it() -> None:
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = PROFILES
    pod = the(planned(config, "aws-on-us-east-1").objects, "Pod")
    assert pod["spec"]["resources"] == {"requests": {"memory": "16Mi"}}
    assert "resources" not in the(planned(config).objects, "Pod")["spec"]


@pytest.mark.parametrize("section", SECTIONS)
def test_annotation_and_gpu_patches_apply_under_each_of_the_originals_names(section: str) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.kubernetes_context = "gke"
    config.MultiClusterKubeSpawner.ingress_public_url = "http://192.0.2.1"
    config[section].patches = PATCHES
    pod = the(planned(config).objects, "Pod")
    assert pod["metadata"]["annotations"]["something-else"] == "hey"
    (notebook,) = pod["spec"]["containers"]
    assert notebook["resources"]["limits"] == {"nvidia.com/gpu": 1}
    assert notebook["image"] == "pangeo/pangeo-notebook:latest"


def update_objects(section: Config) -> None:
    section.objects.update(DASK)


def set_resources(section: Config) -> None:
    section.resources = DASK


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("say", [update_objects, set_resources])
def test_the_dask_example_adds_to_the_default_objects(
    section: str, say: Callable[[Config], None]
) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.kubernetes_context = "gke"
    config.MultiClusterKubeSpawner.ingress_public_url = "http://192.0.2.1"
    say(config[section])
    objects = planned(config).objects
    assert [m["kind"] for m in objects] == [
        "Secret",
        "ServiceAccount",
        "Pod",
        "Service",
        "Ingress",
        "Role",
        "RoleBinding",
    ]
    assert the(objects, "RoleBinding")["subjects"][0]["name"] == "jupyter-ada"
    assert the(objects, "Role")["metadata"]["name"] == "jupyter-ada-dask"


def test_limits_and_environment_are_jupyterhubs_own() -> None:
    config = Config()
    override: dict[str, Any] = {
        "kubernetes_context": "gke",
        "ingress_public_url": "http://192.0.2.1",
        "environment": {"EXTRA": "1"},
        "image": "img:1",
        "mem_limit": "2G",
        "mem_guarantee": "1G",
        "cpu_limit": 2,
        "cpu_guarantee": 0.5,
    }
    config.MultiClusterKubeSpawner.profile_list = [
        {"display_name": "x", "spawner_override": override}
    ]
    objects = planned(config).objects
    (notebook,) = the(objects, "Pod")["spec"]["containers"]
    assert notebook["image"] == "img:1"
    assert notebook["resources"] == {
        "limits": {"memory": "2147483648", "cpu": "2"},
        "requests": {"memory": "1073741824", "cpu": "0.5"},
    }
    texts = the(objects, "Secret")["stringData"]
    assert (texts["EXTRA"], texts["CPU_LIMIT"], texts["CPU_GUARANTEE"]) == ("1", "2", "0.5")
    assert {e["name"] for e in notebook["env"]} == {"MEM_LIMIT", "MEM_GUARANTEE"}


def test_two_profiles_may_give_one_context_different_urls() -> None:
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = [
        {
            "display_name": url,
            "slug": url[-1],
            "spawner_override": {"kubernetes_context": "gke", "ingress_public_url": url},
        }
        for url in ("http://192.0.2.1", "http://192.0.2.2")
    ]
    assert planned(config, "1").target.url == "http://192.0.2.1"
    assert planned(config, "2").target.url == "http://192.0.2.2"
