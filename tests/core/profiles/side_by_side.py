"""The installed KubeSpawner and mcks with one configuration, and what each does with a choice."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any
from unittest import mock

from kubespawner import KubeSpawner
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import MCKSError
from tests.core.profiles.kubespawner_cases import Case

TRAITS = (
    "image", "mem_limit", "mem_guarantee", "cpu_limit", "cpu_guarantee", "environment", "cmd",
    "args", "default_url", "notebook_dir",
)  # fmt: skip
CLASS = {"image": "class:1", "cmd": ["start"], "environment": {"SHARED": "class", "OWN": "class"}}


def configured(listed: Any) -> Config:
    config = Config()
    for section in ("KubeSpawner", "MultiClusterKubeSpawner"):
        config[section].update(copy.deepcopy(CLASS))
        config[section].profile_list = copy.deepcopy(listed)
    return config


def kubespawner(listed: Any) -> Any:
    """Make a KubeSpawner, which wants a kubeconfig as soon as it is made: it gets none."""
    with (
        mock.patch("kubespawner.spawner.load_config"),
        mock.patch("kubespawner.spawner.shared_client"),
    ):
        spawner = KubeSpawner(config=configured(listed), _mock=True)
    spawner.user = SimpleNamespace(name="ada", id=1, groups=[])
    return spawner


def ours(listed: Any) -> MultiClusterKubeSpawner:
    return sample_spawner(configured(listed), "ada")


def values(spawner: Any) -> dict[str, Any]:
    return {name: copy.deepcopy(getattr(spawner, name)) for name in TRAITS}


async def kubespawner_does(case: Case, listed: Any) -> dict[str, Any] | None:
    """Return the traits after the profile was applied, None for an error."""
    spawner = kubespawner(listed)
    form = case.way == "form"
    spawner.user_options = spawner.options_from_form(case.posted) if form else case.posted
    try:
        await spawner.load_user_options()
    except Exception:  # ValueError for what it checks, KeyError and TypeError for what it does not
        return None
    return values(spawner)


async def we_do(case: Case, listed: Any) -> dict[str, Any] | None:
    """Return the traits after the profile was applied, None for an error."""
    spawner = ours(listed)
    form = case.way == "form"
    options = spawner.run_options_from_form(case.posted) if form else case.posted
    try:
        await spawner.apply_profile(options)
    except MCKSError:
        return None
    return values(spawner)
