"""The environment gets into the Secret, and the container refers to it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.objects import Manifest
from mcks.core.servers.environment import attach, cores
from mcks.errors import ConfigError

TOKEN = "s3cret-token"


def objects(**container: Any) -> list[Manifest]:
    notebook = {"name": "notebook", "image": "img:1", **container}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "k"}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "k"},
            "spec": {"containers": [{"name": "sidecar"}, notebook]},
        },
    ]


def notebook(manifests: list[Manifest]) -> dict[str, Any]:
    found: dict[str, Any] = manifests[1]["spec"]["containers"][1]
    return found


def test_everything_goes_into_the_secret_and_the_container_reads_it() -> None:
    secret, pod = attach(objects(), "k", {"JUPYTERHUB_API_TOKEN": TOKEN, "N": 1, "GONE": None})
    assert secret["stringData"] == {
        "JUPYTER_IMAGE": "img:1",
        "JUPYTER_IMAGE_SPEC": "img:1",
        "JUPYTERHUB_API_TOKEN": TOKEN,
        "N": "1",
    }
    assert notebook([secret, pod])["envFrom"] == [{"secretRef": {"name": "k"}}]
    assert TOKEN not in str(pod)


def test_dict_values_become_env_entries() -> None:
    ref = {"secretKeyRef": {"name": "s", "key": "p"}}
    container = notebook(attach(objects(), "k", {"A": {"valueFrom": ref}, "B": ref}))
    assert container["env"] == [
        {"name": "A", "valueFrom": ref},
        {"name": "B", "valueFrom": ref},
    ]


def test_a_value_that_refers_to_another_becomes_an_entry_and_leaves_the_secret_where_it_is() -> (
    None
):
    env = {
        "JUPYTERHUB_API_TOKEN": TOKEN,
        "URL": "https://x/$(JUPYTERHUB_API_TOKEN)",
        "ESCAPED": "$$(JUPYTERHUB_USER)",
        "PASSWORD": "pa$$word",
        "PLAIN": "$HOME",
    }
    secret, pod = attach(objects(), "k", env)
    assert notebook([secret, pod])["env"] == [
        {"name": "URL", "value": "https://x/$(JUPYTERHUB_API_TOKEN)"},
        {"name": "ESCAPED", "value": "$$(JUPYTERHUB_USER)"},
    ]
    assert secret["stringData"]["PASSWORD"] == "pa$$word"
    assert secret["stringData"]["PLAIN"] == "$HOME"
    assert not {"URL", "ESCAPED"} & secret["stringData"].keys()
    assert TOKEN not in str(pod)


def test_a_name_that_its_user_has_chosen_refers_to_nothing() -> None:
    env = {"JUPYTERHUB_USER": "$(HOME)", "JUPYTERHUB_SERVER_NAME": "$(HOME)"}
    secret, pod = attach(objects(), "k", env)
    assert notebook([secret, pod])["env"] == []
    assert secret["stringData"]["JUPYTERHUB_USER"] == "$(HOME)"


def test_no_variable_becomes_part_of_what_a_hub_says_of_names_that_look_like_it() -> None:
    spawner = sample_spawner(Config(), "$(HOME)", servername="$(PATH)")
    secret, pod = attach(objects(), "k", spawner.get_env())
    assert notebook([secret, pod])["env"] == []
    assert "server=$(HOME)/$(PATH)" in secret["stringData"]["JUPYTERHUB_OAUTH_ACCESS_SCOPES"]


def test_entries_stand_after_what_they_refer_to() -> None:
    env = {
        "A": "$(B)/a",
        "B": {"value": "$(C)/b"},
        "C": "$(JUPYTERHUB_USER)",
        "MEM_LIMIT": "1",
        "SAID": "$(MEM_LIMIT)",
    }
    container = notebook(attach(objects(resources={"limits": {"memory": "1"}}), "k", env))
    assert [entry["name"] for entry in container["env"]] == ["C", "MEM_LIMIT", "B", "SAID", "A"]


def test_entries_of_patches_keep_their_order_and_ours_stand_around_them() -> None:
    patched = [
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "WORK", "value": "$(SCRATCH)/work"},
    ]
    env = {"HERE": "$(NODE)/x", "SCRATCH": "s3://$(U)", "LAST": "$(WORK)$(HERE)", "WORK": "$(U)"}
    container = notebook(attach(objects(env=patched), "k", env))
    assert [entry["name"] for entry in container["env"]] == [
        "SCRATCH",
        "NODE",
        "HERE",
        "WORK",
        "LAST",
    ]
    assert [e for e in container["env"] if e["name"] in ("NODE", "WORK")] == patched


def test_what_the_secret_says_already_wins() -> None:
    given = objects()
    given[0] |= {"data": {"A": "eA=="}, "stringData": {"B": "patched"}}
    secret, pod = attach(given, "k", {"A": "$(X)", "B": "$(X)", "C": "$(X)"})
    assert [entry["name"] for entry in notebook([secret, pod])["env"]] == ["C"]
    assert secret["stringData"]["B"] == "patched"
    secret, _ = attach(given, "k", {"A": "plain"})
    assert "A" not in secret["stringData"]


def test_kubespawners_other_spellings_of_a_dict_are_read() -> None:
    ref = {"fieldRef": {"fieldPath": "spec.nodeName"}}
    env = {"A": {"value_from": ref}, "b": {"name": "B", "valueFrom": ref}}
    container = notebook(attach(objects(env=[{"name": "B", "value": "mine"}]), "k", env))
    assert container["env"] == [{"name": "A", "valueFrom": ref}, {"name": "B", "value": "mine"}]


def test_the_patched_env_wins() -> None:
    mine = {"name": "A", "value": "patched"}
    container = notebook(attach(objects(env=[mine]), "k", {"A": {"valueFrom": {}}}))
    assert container["env"] == [mine]


def test_announced_limits_follow_the_patched_resources() -> None:
    resources = {"limits": {"memory": "2Gi", "cpu": "1500m"}, "requests": {"cpu": 1}}
    secret, pod = attach(objects(resources=resources), "k", {"MEM_LIMIT": "1", "CPU_LIMIT": "9"})
    assert secret["stringData"]["CPU_LIMIT"] == "1.5"
    assert secret["stringData"]["CPU_GUARANTEE"] == "1"
    assert "MEM_LIMIT" not in secret["stringData"]
    (entry,) = notebook([secret, pod])["env"]
    assert entry["name"] == "MEM_LIMIT"
    assert entry["valueFrom"]["resourceFieldRef"]["resource"] == "limits.memory"


def test_inputs_are_not_changed() -> None:
    given = objects()
    before = copy.deepcopy(given)
    attach(given, "k", {"A": "1"})
    assert given == before


@pytest.mark.parametrize(
    ("manifests", "message"),
    [
        (objects()[1:], "makes no Secret named 'k'"),
        (objects()[:1], "makes no Pod named 'k'"),
        (
            [objects()[0], {"kind": "Pod", "metadata": {"name": "k"}, "spec": {"containers": []}}],
            "no container named 'notebook'",
        ),
    ],
)
def test_what_is_missing_is_named(manifests: list[Manifest], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        attach(manifests, "k", {})


@pytest.mark.parametrize(
    ("quantity", "text"), [("500m", "0.5"), (2, "2"), ("1.50", "1.5"), ("x", None), (None, None)]
)
def test_cpu_quantities_are_read_as_cores(quantity: Any, text: str | None) -> None:
    assert cores(quantity) == text
