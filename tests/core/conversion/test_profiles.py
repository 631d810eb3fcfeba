"""Converted profile lists make the same objects, for each choice and each pair of choices."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.profiles import profile_list
from tests.core.conversion.converting import Rendered, after, piece_of
from tests.core.kubespawner.configurations import WHOLE, Values
from tests.core.kubespawner.side_by_side import configuration

UNLISTED = ["example.org/x:2", "{username}", "{{key}}", "{% raw %}", "a: b\n- c", "'\"\\", "x-"]


def option(**choices: Values) -> Values:
    made = {key: {"display_name": key, "kubespawner_override": v} for key, v in choices.items()}
    return {"display_name": "o", "choices": made}


def profile(override: Values, **options: Values) -> Values:
    return {"display_name": "p", "kubespawner_override": override, "profile_options": options}


def asking(override: Values, **more: Values) -> Values:
    return {
        "display_name": "ask",
        "unlisted_choice": {"enabled": True} | _override(override),
    } | more


def _override(values: Values) -> Values:
    return {"kubespawner_override": values}


_HOME = {"name": "home", "emptyDir": {}}
_SHM = {"name": "shm", "emptyDir": {"medium": "Memory"}}
_MOUNT = {"name": "x", "mountPath": "/x"}
_GPU_TAINT = [{"key": "nvidia.com/gpu", "operator": "Exists"}]

HUBS: dict[str, Values | None] = {
    "no section": None,
    "nothing": {},
    "chart": WHOLE["chart with homes in dicts"],
    "restricted": WHOLE["restricted"],
    "sidecar": WHOLE["sidecar"],
    "class": WHOLE["class with a command"],
    "claims of many": WHOLE["claims of many"],
    "labels": {
        "extra_labels": {"a": "1", "b": "{username}"},
        "extra_annotations": {"x/y": "z"},
        "node_selector": {"disk": "ssd"},
        "extra_pod_config": {"dnsPolicy": "Default", "dnsConfig": {"nameservers": ["192.0.2.1"]}},
        "environment": {"WHO": "{username}", "PLAIN": "p", "OTHER": "{servername}-{userid}"},
        "tolerations": [{"key": "a"}],
        "mem_limit": "1G",
        "uid": 1000,
    },
}
PROFILES: dict[str, Values] = {
    "image": profile({"image": "x:1"}, image=option(a={"image": "x:2"}, b={"mem_limit": "3G"})),
    "gpu": profile(
        {
            "extra_resource_limits": {"nvidia.com/gpu": "1"},
            "tolerations": _GPU_TAINT,
            "node_selector": {"pool": "gpu", "disk": None},
        },
        size=option(small={}, large={"extra_resource_limits": {"nvidia.com/gpu": "2"}}),
        zone=option(any={}, a={"node_selector": {"zone": "a"}}, b={"tolerations": []}),
    ),
    "volumes": profile(
        {"volumes": [_HOME], "volume_mounts": [{"name": "home", "mountPath": "/h"}]},
        shm=option(
            no={},
            yes={
                "volumes": [_HOME, _SHM],
                "volume_mounts": [
                    {"name": "home", "mountPath": "/h"},
                    {"name": "shm", "mountPath": "/dev/shm"},
                ],
            },
        ),
    ),
    "volumes in dicts": profile(
        {"volumes": {"20-x": {"name": "x", "emptyDir": {}}}, "volume_mounts": {"20-x": _MOUNT}},
        key=option(no={}, replaced={"volume_mounts": {"20-x": {"mountPath": "/y"}}}),
    ),
    "containers": profile(
        {"extra_containers": [{"name": "one", "image": "b:{username}"}]},
        more=option(
            no={},
            two={"extra_containers": [{"name": "two", "image": "b"}]},
            none={"extra_containers": []},
            other={"extra_containers": [{"name": "one", "image": "c", "stdin": True}]},
        ),
        init=option(no={}, yes={"init_containers": [{"name": "i", "image": "b"}]}),
    ),
    "security": profile(
        {"uid": 0, "fs_gid": 5, "supplemental_gids": [7], "privileged": True},
        user=option(
            root={},
            other={"uid": 1001, "gid": None, "privileged": False, "supplemental_gids": [8, 9]},
        ),
        context=option(
            no={}, yes={"container_security_context": {"runAsNonRoot": True, "privileged": None}}
        ),
        escalation=option(a={}, b={"allow_privilege_escalation": True}, c={"fs_gid": None}),
    ),
    "process": profile(
        {"cmd": ["start.sh", "{username}"], "args": ["--x"], "working_dir": "/w/{username}"},
        cmd=option(no={}, yes={"cmd": ["other"]}, none={"cmd": None}),
        policy=option(a={"image_pull_policy": "Always"}, b={"lifecycle_hooks": {"preStop": {}}}),
    ),
    "environment": profile(
        {"environment": {"WHO": "x", "NEW": "{unescaped_username}", "REF": "$(WHO)/{username}"}},
        other=option(
            no={},
            a={"environment": {"NEW": "plain", "OTHER": None}},
            b={"environment": {"WHO": "{servername}", "J": '{{"a": "{username}"}}'}},
            c={"environment": {"K": {"secretKeyRef": {"name": "{username}", "key": "k"}}}},
        ),
    ),
    "placement": profile(
        {"node_affinity_required": [{"matchExpressions": []}], "scheduler_name": "s"},
        prefer=option(
            no={},
            yes={"node_affinity_preferred": [{"weight": 1, "preference": {}}]},
            none={"node_affinity_required": [], "priority_class_name": "p"},
        ),
        pods=option(no={}, yes={"pod_anti_affinity_required": {"a": {"topologyKey": "z"}}}),
    ),
    "pod": profile(
        {"extra_pod_config": {"hostNetwork": True, "dnsPolicy": None}, "service_account": "s"},
        config=option(
            no={},
            yes={"extra_pod_config": {"dnsConfig": {"searches": ["{username}"]}, "hostPID": True}},
            container={"extra_container_config": {"tty": True, "resources": {"limits": {}}}},
        ),
        account=option(no={}, yes={"service_account": None, "image_pull_secrets": ["a", "b"]}),
    ),
    "names": profile(
        {"slug_scheme": "escape", "component_label": "mine"},
        name=option(no={}, yes={"pod_name_template": "nb-{username}--{servername}"}),
        labels=option(no={}, yes={"common_labels": {"app": None, "chart": "c"}}),
    ),
    "claims": profile(
        {"storage_capacity": "50Gi", "storage_extra_labels": {"big": "yes"}},
        kind=option(
            no={},
            own={
                "storage_pvc_ensure": True,
                "pvc_name_template": "own-{username}",
                "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "{pvc_name}"}}],
            },
            none={"storage_pvc_ensure": False},
        ),
    ),
    "asking": profile(
        {},
        image=asking({"image": "{value}", "environment": {"ASKED": "<{value}>"}}),
        words=asking(
            {
                "extra_annotations": {"who": "{username}/{value}", "lit": "{{{{value}}}}"},
                "node_selector": {"pool": "{value}"},
                "environment": {"BOTH": "{value}-{username}", "LITERAL": "{{{{value}}}}"},
                "cmd": ["run", "{value}"],
            },
            choices=option(a={"node_selector": {"pool": "a"}})["choices"],
        ),
    ),
}


def config_of(hub: str, *profiles: Values) -> Config:
    said = HUBS[hub]
    config = configuration(said or {})
    if said is None:
        del config["KubeSpawner"]
        del config.MultiClusterKubeSpawner["read_kubespawner"]
    config.MultiClusterKubeSpawner.profile_list = [*profiles]
    return config


def _answers(entry: Values) -> Iterator[list[dict[str, str]]]:
    (parsed,) = profile_list.parse([entry]).profiles
    for one in parsed.options:
        said = [{one.key: choice.key} for choice in one.choices]
        if one.unlisted:
            said += [{f"{one.key}--unlisted-choice": text} for text in UNLISTED]
        yield said


def each_choice(entry: Values) -> Iterator[dict[str, str]]:
    """The defaults, and each choice once."""
    return itertools.chain([{}], *_answers(entry))


def pairs(entry: Values) -> Iterator[dict[str, str]]:
    """Each pair of choices of two options."""
    for first, second in itertools.combinations(_answers(entry), 2):
        for a, b in itertools.product(first, second):
            yield a | b


async def _compare(hub: str, name: str, answers: Iterable[dict[str, str]]) -> None:
    config = config_of(hub, PROFILES[name])
    piece = piece_of(config)
    assert piece.left == []
    assert "kubespawner_override" not in piece.text
    before, now = (Rendered(c, "Ada.Lovelace@example.org") for c in (config, after(config, piece)))
    for options in answers:
        expected = await before("Gpu", profile="p", **options)
        assert await now("Gpu", profile="p", **options) == expected, options


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("hub", ["no section", "labels"])
async def test_each_choice_makes_the_same_objects(hub: str, name: str) -> None:
    await _compare(hub, name, each_choice(PROFILES[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("hub", HUBS)
async def test_each_pair_of_choices_makes_the_same_objects(hub: str, name: str) -> None:
    await _compare(hub, name, itertools.chain(each_choice(PROFILES[name]), pairs(PROFILES[name])))


def left_of(**override: Any) -> list[str]:
    return piece_of(config_of("nothing", profile(override))).left


def test_what_cannot_be_a_patch_is_named_with_what_to_do() -> None:
    (told,) = left_of(namespace="gpu")
    assert told.startswith("profile_list[0]: namespace: a namespace belongs to a cluster")
    (told,) = left_of(uid=lambda spawner: 5)
    assert told.startswith("profile_list[0]: uid: what a function gives is not known")
    (told,) = left_of(modify_pod_hook=print)
    assert told.startswith("profile_list[0]: modify_pod_hook: here it is")
    assert left_of(events_enabled=False) == []


def test_mcks_own_words_and_others_keys_of_a_profile_stay() -> None:
    own = {"patches": {"50": "kind: Pod"}, "cmd": ["mine"], "image": "ours"}
    entry = {
        "display_name": "p",
        "icon": "x.svg",
        "cluster": "c",
        "kubespawner_override": {"image": "theirs", "uid": 5, "cmd": ["theirs"]},
        "spawner_override": own,
    }
    config = config_of("class", entry)
    (made,) = after(config, piece_of(config)).MultiClusterKubeSpawner.profile_list
    assert list(made) == ["display_name", "icon", "cluster", "spawner_override"]
    override = made["spawner_override"]
    assert (override["cmd"], override["image"]) == (["mine"], "ours")
    assert list(override["patches"]) == ["00-hub-00-cmd", "00-profile", "50"]
    assert override["patches"]["00-hub-00-cmd"] is None


async def test_patches_of_ones_own_apply_on_top_of_a_profiles_words() -> None:
    config = config_of("labels", profile({"node_selector": {"disk": "hdd", "a": "b"}}))
    text = "kind: Pod\nmetadata: {name: '{{key}}'}\nspec: {nodeSelector: {disk: own}}\n"
    for own in ({"0-first": text}, [text]):
        config.MultiClusterKubeSpawner.patches = own
        now = Rendered(after(config, piece_of(config)), "ada")
        pods = [m for m in (await now()).values() if m["kind"] == "Pod"]
        assert pods[0]["spec"]["nodeSelector"] == {"disk": "own", "a": "b"}


def test_a_list_in_the_form_of_a_dict_stays_one() -> None:
    config = config_of("nothing")
    config.MultiClusterKubeSpawner.profile_list = {"b": profile({"uid": 1}), "a": profile({})}
    listed = after(config, piece_of(config)).MultiClusterKubeSpawner.profile_list
    assert list(listed) == ["b", "a"]
    assert "00-profile" in listed["b"]["spawner_override"]["patches"]


@pytest.mark.parametrize(
    ("word", "value", "told"),
    [
        (
            "node_selector",
            None,
            "node_selector: The 'node_selector' trait of a KubeSpawner instance",
        ),
        ("volumes", "x", "volumes: The 'volumes' trait of a KubeSpawner instance expected"),
        ("uid", [1], "uid: The 'uid' trait of a KubeSpawner instance"),
    ],
)
def test_values_that_kubespawner_refuses_are_left_to_do(word: str, value: Any, told: str) -> None:
    (left,) = left_of(**{word: value})
    assert left.startswith(f"profile_list[0]: {told}")
    assert left.endswith(", which does not start such a server either")


def test_a_secret_for_images_may_be_a_text_in_a_profile() -> None:
    piece = piece_of(config_of("nothing", profile({"image_pull_secrets": "registry"})))
    assert piece.left == []
    assert "- name: registry" in piece.text


def test_names_that_count_only_here_are_told() -> None:
    override = {"pvc_name_template": "home-{username}", "pod_name_template": "p-{user_server}"}
    piece = piece_of(config_of("nothing", profile(override), profile({"uid": 5})))
    assert [note.partition(" counts")[0] for note in piece.notes] == [
        "profile_list[0]: pod_name_template",
        "profile_list[0]: pvc_name_template",
    ]
