"""With the switch, a hub's objects are those that KubeSpawner makes of the same configuration."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubespawner.objects import make_namespace

from mcks.core.checking import config_check
from mcks.core.objects import Manifest
from tests.core import kubeconfigs, kubernetes_schemas
from tests.core.kubespawner.configurations import ALONE, WHOLE, Values
from tests.core.kubespawner.differences import DIFFERENCES, without_differences
from tests.core.kubespawner.side_by_side import (
    HUB,
    USER,
    as_sent,
    configuration,
    planned,
    the,
    theirs,
)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "kubespawner.md"
ALL = {**ALONE, **WHOLE}
SERVERS = ["", "gpu", "Großer Server"]


async def expected(values: Values, servername: str, username: str = USER) -> list[Manifest]:
    spawner = theirs(copy.deepcopy(values), username, servername, user_id=1)
    found = [as_sent(await spawner.get_pod_manifest())]
    if spawner.storage_pvc_ensure:
        found.append(as_sent(spawner.get_pvc_manifest()))
    if spawner.enable_user_namespaces:
        labels, annotations = (
            spawner._expand_all(said)
            for said in (spawner.user_namespace_labels, spawner.user_namespace_annotations)
        )
        namespace = as_sent(make_namespace(spawner.namespace, labels, annotations))
        found.append({"apiVersion": "v1", "kind": "Namespace", **namespace})
    return [without_differences(manifest) for manifest in found]


async def made(values: Values, servername: str, username: str = USER) -> list[Manifest]:
    objects = await planned(configuration(values), username, servername)
    kinds = ("Pod", "PersistentVolumeClaim", "Namespace")
    found = [copy.deepcopy(the(kind, objects)) for kind in kinds if _has(kind, objects)]
    return [without_differences(manifest) for manifest in found]


def _has(kind: str, objects: list[Manifest]) -> bool:
    return any(manifest["kind"] == kind for manifest in objects)


@pytest.mark.parametrize("servername", SERVERS)
@pytest.mark.parametrize("name", ALL)
async def test_each_configuration_makes_the_same_objects(name: str, servername: str) -> None:
    assert await made(ALL[name], servername) == await expected(ALL[name], servername)


@pytest.mark.parametrize("name", ALL)
async def test_each_configuration_makes_objects_that_kubernetes_takes(name: str) -> None:
    for manifest in await planned(configuration(ALL[name])):
        _taken(json.dumps(manifest))


@cache
def _taken(manifest: str) -> None:
    """Most objects are the same in all configurations: each is looked at once."""
    kubernetes_schemas.validate(json.loads(manifest))


@pytest.mark.parametrize("name", ALL)
async def test_the_environment_that_the_administrator_wrote_is_the_same(name: str) -> None:
    values = ALL[name]
    said = theirs(copy.deepcopy(values), user_id=1).environment
    full = theirs(copy.deepcopy(values), user_id=1)._expand_env(said)
    secret = the("Secret", await planned(configuration(values)))
    assert {key: secret["stringData"][key] for key in full} == full


@pytest.mark.parametrize(
    "name", [*WHOLE, *(pytest.param(n, marks=pytest.mark.slow) for n in ALONE)]
)
def test_each_configuration_passes_the_check_without_a_word(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "x")))
    config = configuration(ALL[name])
    config.MultiClusterKubeSpawner.clusters["c"]["isolate"] = True
    config.JupyterHub.update(HUB)
    found = config_check.check(config)
    assert (found.problems, found.warnings, found.notes) == ([], [], [])


def test_the_page_has_each_difference_with_its_reason() -> None:
    rows = [f"| {difference.what} | {difference.why} |" for difference in DIFFERENCES]
    _, _, rest = PAGE.read_text().partition("| what | why |\n|---|---|\n")
    assert rest.partition("\n\n")[0].splitlines() == rows


def _pick(configurations: dict[str, Values]) -> st.SearchStrategy[Values]:
    keys = st.lists(st.sampled_from(sorted(configurations)), min_size=1, max_size=8, unique=True)
    return keys.map(lambda names: _joined([configurations[name] for name in names]))


def _joined(parts: list[Values]) -> Values:
    whole: dict[str, Any] = {}
    for part in parts:
        whole |= part
    return whole


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=_pick(ALL),
    username=st.sampled_from([USER, "ada", "x" * 60, "Zoë", "a--b", "1st", "a_b"]),
    servername=st.sampled_from([*SERVERS, "s" * 50, "-x-"]),
)
async def test_any_combination_makes_the_same_objects(
    values: Values, username: str, servername: str
) -> None:
    assert await made(values, servername, username) == await expected(values, servername, username)
