"""A spawner takes KubeSpawner's words: from its section, from profiles and from hooks."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.pool import Pool
from mcks.core.kubespawner.words import WORDS
from mcks.core.objects import Manifest
from mcks.core.servers import plan
from mcks.errors import ConfigError, FunctionFailed
from tests.core.kubespawner.side_by_side import (
    configuration,
    planned,
    planned_by,
    the,
    without_switch,
)


def profile(**override: Any) -> list[dict[str, Any]]:
    return [{"display_name": "x", "kubespawner_override": override}]


def notebook(objects: list[Manifest]) -> dict[str, Any]:
    found: dict[str, Any] = the("Pod", objects)["spec"]["containers"][0]
    return found


# -- the section -----------------------------------------------------------------------------


async def test_the_section_stands_above_spawner_and_below_mcks_own() -> None:
    config = configuration({"mem_limit": "2G", "cpu_limit": 2})
    config.Spawner.mem_limit, config.Spawner.cpu_limit = "1G", 1
    config.MultiClusterKubeSpawner.cpu_limit = 3
    spawner = sample_spawner(config, "ada")
    assert (spawner.mem_limit, spawner.cpu_limit) == (2 * 2**30, 3)


async def test_what_is_appended_or_updated_in_the_section_counts() -> None:
    config = configuration({})
    config.KubeSpawner.volumes.append({"name": "v", "emptyDir": {}})
    config.KubeSpawner.extra_labels.update({"a": "b"})
    config.KubeSpawner.environment.update({"X": "{username}"})
    config.Spawner.environment = {"Y": "y"}
    objects = await planned(config, "ada")
    assert the("Pod", objects)["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]
    assert the("Pod", objects)["metadata"]["labels"]["a"] == "b"
    environment = the("Secret", objects)["stringData"]
    assert (environment["X"], environment["Y"]) == ("ada", "y")


async def test_two_spawners_of_one_configuration_share_no_value() -> None:
    config = configuration({"extra_labels": {"a": "b"}})
    first, second = sample_spawner(config, "ada"), sample_spawner(config, "bob")
    first.extra_labels["a"] = "c"
    assert second.extra_labels == {"a": "b"}


async def test_without_the_switch_the_section_has_no_effect() -> None:
    config = without_switch()
    config.KubeSpawner.update({"uid": 5, "mem_limit": "1G", "image": "x:1"})
    assert await planned(config) == await planned(without_switch())


async def test_kubespawners_defaults_hold_with_the_switch() -> None:
    objects = await planned(configuration({}))
    assert notebook(objects)["securityContext"] == {"allowPrivilegeEscalation": False}
    assert the("Pod", objects)["spec"]["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in the("Pod", objects)["spec"]
    assert "args" not in notebook(objects)
    assert not [m for m in objects if m["kind"] == "ServiceAccount"]


async def test_a_service_account_of_the_administrators_own_template_stays() -> None:
    config = configuration({})
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: '{{key}}', labels: {a: b}}\n"
    config.MultiClusterKubeSpawner.resources = {"01-sa": account}
    assert the("ServiceAccount", await planned(config))["metadata"]["labels"]["a"] == "b"


async def test_the_service_still_finds_the_pod() -> None:
    objects = await planned(configuration({"component_label": "mine"}))
    selector = the("Service", objects)["spec"]["selector"]
    assert selector.items() <= the("Pod", objects)["metadata"]["labels"].items()


async def test_patches_and_cluster_labels_apply_on_top() -> None:
    config = configuration({"node_selector": {"a": "b"}, "extra_labels": {"team": "x"}})
    config.Cluster.labels = {"team": "y"}
    config.MultiClusterKubeSpawner.patches = {
        "1": "kind: Pod\nmetadata: {name: '{{key}}'}\nspec: {nodeSelector: {a: c}}\n"
    }
    pod = the("Pod", await planned(config))
    assert pod["spec"]["nodeSelector"] == {"a": "c"}
    assert pod["metadata"]["labels"]["team"] == "y"


async def test_a_claim_without_a_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="storage_capacity is not"):
        await planned(configuration({"storage_pvc_ensure": True}))


# -- hooks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [configuration({}), without_switch()], ids=["on", "off"])
async def test_what_a_hook_sets_counts(config: Config) -> None:
    spawner = sample_spawner(config, "ada")
    spawner.node_selector = {"disk": "ssd"}
    spawner.extra_labels.update({"team": "{username}"})
    spawner.volumes.append({"name": "v", "emptyDir": {}})
    pod = the("Pod", await planned_by(spawner))
    assert pod["spec"]["nodeSelector"] == {"disk": "ssd"}
    assert pod["metadata"]["labels"]["team"] == "ada"
    assert pod["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]


async def test_a_function_that_fails_is_named() -> None:
    def uid(_: Any) -> int:
        raise KeyError("nothing")

    with pytest.raises(FunctionFailed, match=r"^uid: the function .*uid raised KeyError"):
        await planned(configuration({"uid": uid}))


# -- profiles --------------------------------------------------------------------------------


async def test_an_override_sets_only_what_it_says() -> None:
    before = await planned(without_switch())
    after = await planned(without_switch(profile_list=profile(node_selector={"disk": "ssd"})))
    assert the("Pod", after)["spec"].pop("nodeSelector") == {"disk": "ssd"}
    assert after == before


async def test_a_default_that_an_override_says_counts() -> None:
    listed = profile(allow_privilege_escalation=False, service_account=None)
    objects = await planned(without_switch(profile_list=listed))
    assert notebook(objects)["securityContext"] == {"allowPrivilegeEscalation": False}


async def test_lists_replace_and_dicts_merge_and_none_removes() -> None:
    config = configuration(
        {
            "tolerations": [{"key": "a"}],
            "node_selector": {"a": "1", "b": "2"},
            "profile_list": profile(
                tolerations=[{"key": "b"}], node_selector={"a": None, "c": "3"}
            ),
        }
    )
    spec = the("Pod", await planned(config))["spec"]
    assert spec["tolerations"] == [{"key": "b"}]
    assert spec["nodeSelector"] == {"b": "2", "c": "3"}


async def test_a_function_in_an_override_is_called_with_the_spawner() -> None:
    async def labels(spawner: Any) -> dict[str, str]:
        return {"who": spawner.user.name}

    objects = await planned(without_switch(profile_list=profile(extra_labels=labels)), "ada")
    assert the("Pod", objects)["metadata"]["labels"]["who"] == "ada"


async def test_cmd_of_kubespawner_is_arguments_of_the_images_own_command() -> None:
    container = notebook(await planned(without_switch(profile_list=profile(cmd=["start.sh"]))))
    assert container["args"] == ["start.sh"]
    assert "command" not in container


async def test_cmd_of_mcks_is_the_command_also_with_the_switch() -> None:
    listed = [{"display_name": "x", "spawner_override": {"cmd": ["start.sh"]}}]
    container = notebook(await planned(configuration({"profile_list": listed})))
    assert container["command"] == ["start.sh"]


async def test_a_namespace_of_a_profile_counts_unless_the_cluster_says_one() -> None:
    config = configuration({"namespace": "theirs", "profile_list": profile(namespace="gpu")})
    spawner = sample_spawner(config, "ada")
    await planned_by(spawner)
    plain = sample_spawner(configuration({"namespace": "theirs"}), "ada")
    assert _namespace_of(plain) == "theirs"
    assert _namespace_of(spawner) == "gpu"
    config.Cluster.namespace = "ours"
    own = sample_spawner(config, "ada")
    await planned_by(own)
    assert _namespace_of(own) == "ours"


def _namespace_of(spawner: Any) -> str:
    configured = spawner.configured(Pool(spawner.config, logging.getLogger("test")))
    return plan.make(spawner, configured).created.namespace


def test_a_word_elsewhere_gets_the_advice_that_profiles_get() -> None:
    spawner = sample_spawner(without_switch(node_selector={"a": "b"}), "ada")
    assert spawner.node_selector == {}


# -- what users write ------------------------------------------------------------------------

TEXTS = ["{", "}}", "{username}", "{{username}}", "{value}", "{0.__class__}", "a{b}c", '{"a": {}}']


def asking(name: str, value: Any) -> list[dict[str, Any]]:
    unlisted = {"enabled": True, "kubespawner_override": {name: value}}
    return [{"display_name": "x", "profile_options": {"o": {"unlisted_choice": unlisted}}}]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("switch", [True, False])
async def test_what_a_user_writes_is_never_expanded(text: str, switch: bool) -> None:
    listed = asking("environment", {"ASKED": "<{value}>", "WHO": "{username}"})
    config = configuration({"profile_list": listed})
    config = config if switch else without_switch(profile_list=listed)
    objects = await planned(config, "ada", **{"profile": "x", "o--unlisted-choice": text})
    environment = the("Secret", objects)["stringData"]
    assert (environment["ASKED"], environment["WHO"]) == (f"<{text}>", "ada")


@pytest.mark.parametrize("text", TEXTS)
async def test_nor_in_words_that_have_fields_or_none(text: str) -> None:
    options = {"profile": "x", "o--unlisted-choice": text}
    annotated = without_switch(profile_list=asking("extra_annotations", {"a": "{value}"}))
    pod = the("Pod", await planned(annotated, "ada", **options))
    assert pod["metadata"]["annotations"]["a"] == text
    selecting = without_switch(profile_list=asking("node_selector", {"a": "{value}"}))
    pod = the("Pod", await planned(selecting, "ada", **options))
    assert pod["spec"]["nodeSelector"] == {"a": text}


async def test_json_in_a_profiles_environment_stays_without_the_switch() -> None:
    listed = profile(environment={"J": '{"a": {"b": 1}}'})
    objects = await planned(without_switch(profile_list=listed))
    assert the("Secret", objects)["stringData"]["J"] == '{"a": {"b": 1}}'


async def test_braces_of_mcks_own_override_mean_nothing_also_with_the_switch() -> None:
    listed = [{"display_name": "x", "spawner_override": {"environment": {"J": "{username}"}}}]
    objects = await planned(configuration({"profile_list": listed}))
    assert the("Secret", objects)["stringData"]["J"] == "{username}"


# -- the claim's name ------------------------------------------------------------------------

CLAIM = {"storage_pvc_ensure": True, "storage_capacity": "1Gi"}


async def test_a_claims_name_is_remembered_after_a_start_and_counts_later() -> None:
    spawner = sample_spawner(configuration(CLAIM), "ada")
    assert "pvc_name" not in spawner.get_state()
    spawner.remember_claim()
    saved = spawner.get_state()
    assert saved["pvc_name"] == "claim-ada"
    later = sample_spawner(configuration({**CLAIM, "pvc_name_template": "home-{username}"}), "ada")
    later.load_state(saved)
    assert the("PersistentVolumeClaim", await planned_by(later))["metadata"]["name"] == "claim-ada"
    assert later.get_state()["pvc_name"] == "claim-ada"


async def test_a_claim_of_kubespawners_own_state_is_found_unless_it_is_not_to_be() -> None:
    state = {"pod_name": "jupyter-ada", "pvc_name": "claim-old", "kubespawner_version": "7.0"}
    for remember, name in ((True, "claim-old"), (False, "claim-ada")):
        spawner = sample_spawner(configuration({**CLAIM, "remember_pvc_name": remember}), "ada")
        spawner.load_state(state)
        found = the("PersistentVolumeClaim", await planned_by(spawner))
        assert found["metadata"]["name"] == name


def test_what_a_hook_appends_for_one_user_is_no_other_users() -> None:
    config = configuration({})
    first, second = sample_spawner(config, "ada"), sample_spawner(config, "bob")
    for value in [getattr(first, name) for name in WORDS]:
        if isinstance(value, list):
            value.append("x")
        elif isinstance(value, dict):
            value["x"] = "y"
    assert second.words() == sample_spawner(config, "eve").words()
    assert "x" not in str(second.volumes) + str(second.extra_labels)


# -- a named server's own claim --------------------------------------------------------------


def _own_data(config: Config, remembered: str = "") -> set[tuple[str, str]]:
    spawner = sample_spawner(config, "ada", servername="gpu")
    if remembered:
        spawner.load_state({"pvc_name": remembered})
    configured = spawner.configured(Pool(config, logging.getLogger("test")))
    return set(plan.make(spawner, configured).of_server)


def test_a_named_servers_claim_is_its_own_only_if_its_name_differs() -> None:
    own = {("PersistentVolumeClaim", "claim-ada--gpu")}
    assert _own_data(configuration(CLAIM)) == own
    shared = configuration({**CLAIM, "pvc_name_template": "claim-{username}"})
    assert _own_data(shared) == set()
    assert _own_data(shared, remembered="claim-of-old") == set()
    assert _own_data(configuration({**CLAIM, "delete_pvc": False})) == set()


def test_a_package_that_writes_to_kubespawners_section_takes_effect() -> None:
    fancy = pytest.importorskip("jupyterhub_fancy_profiles")
    config = configuration({})
    fancy.setup_ui(config)
    spawner = sample_spawner(config, "ada")
    assert list(spawner.additional_profile_form_template_paths) == list(fancy.TEMPLATE_PATHS)


async def test_fields_in_the_environment_are_those_of_this_start() -> None:
    config = configuration(
        {"namespace": "theirs", "environment": {"W": "{namespace}/{pod_name}/{pvc_name}"}}
    )
    config.Cluster.namespace = "ours"
    config.MultiClusterKubeSpawner.hub_id = "h"
    environment = the("Secret", await planned(config, "ada"))["stringData"]
    assert environment["W"] == "ours/h-jupyter-ada/claim-ada"


async def test_templates_know_kubespawners_names_without_its_section() -> None:
    config = without_switch(key_template="nb-{{safe_user_server}}")
    config.Cluster.namespace = "{{hub_namespace}}-{{safe_username}}"
    text = "kind: Secret\nmetadata: {name: '{{key}}'}\nstringData:\n  %s: '{{%s}}'\n"
    names = ("username_label", "servername_label", "safe_servername", "remembered_claim")
    config.MultiClusterKubeSpawner.patches = {name: text % (name, name) for name in names}
    spawner = sample_spawner(config, "Ada.L", servername="gpu")
    spawner.load_state({"pvc_name": "claim-old"})
    objects = await planned_by(spawner)
    assert the("Namespace", objects)["metadata"]["name"] == "default-ada-l---b724b05d"
    secret = the("Secret", objects)
    assert secret["metadata"]["name"] == "nb-ada-l---b724b05d--gpu"
    assert [secret["stringData"][n] for n in names] == ["Ada.L", "gpu", "gpu", "claim-old"]


@pytest.mark.parametrize("switch", [True, False])
async def test_nor_are_they_others_in_a_profiles_environment(switch: bool) -> None:
    environment = {
        "W": "{namespace}/{pod_name}/{pvc_name}",
        "J": '{"a": 1}' if not switch else "x",
        "F": {"valueFrom": {"secretKeyRef": {"name": "{pod_name}", "key": "k"}}},
    }
    listed = profile(environment=environment, namespace="of-the-profile")
    config = configuration({"profile_list": listed})
    if not switch:
        config = without_switch(profile_list=listed)
    config.MultiClusterKubeSpawner.hub_id = "h"
    objects = await planned(config, "ada")
    key = the("Pod", objects)["metadata"]["name"]
    texts = the("Secret", objects)["stringData"]
    assert texts["W"] == f"of-the-profile/{key}/claim-ada"
    assert texts["J"] == environment["J"]
    env = {entry["name"]: entry for entry in notebook(objects)["env"]}
    assert env["F"]["valueFrom"]["secretKeyRef"]["name"] == key


async def test_what_a_function_gives_for_a_users_own_value_counts() -> None:
    listed = asking("extra_labels", lambda spawner: {"who": spawner.user.name})
    objects = await planned(
        without_switch(profile_list=listed), "ada", **{"profile": "x", "o--unlisted-choice": "y"}
    )
    assert the("Pod", objects)["metadata"]["labels"]["who"] == "ada"
