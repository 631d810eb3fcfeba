"""Patches: the rules in tests/cases/patch, and what apply_patches does around them."""

from __future__ import annotations

import copy
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pytest

from mcks.core.patching.patch import apply_patches, json_merge, strategic_merge
from mcks.errors import BadPatch
from tests.core.kubectl import same
from tests.core.patching.patch_cases import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_patch_follows_the_rule_of_its_case_file(case: Case) -> None:
    before = copy.deepcopy((case.original, case.patch))
    merge = json_merge if case.type == "merge" else strategic_merge
    if case.error:
        with pytest.raises(BadPatch) as caught:
            merge(case.original, case.patch)
        assert case.error in str(caught.value)
        assert caught.value.path == case.path
    else:
        assert same(merge(case.original, case.patch), case.result)
    assert (case.original, case.patch) == before


def test_every_rule_has_cases() -> None:
    assert len({case.rule for case in CASES}) == 9
    assert len(CASES) == len({str(case) for case in CASES}) > 120


def pod(name: str = "ann", **spec: Any) -> dict[str, Any]:
    container = {"name": "notebook", "image": "i"}
    spec = {"containers": [container]} | spec
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def change(kind: str = "Pod", name: Any = "ann", **content: Any) -> dict[str, Any]:
    metadata = {"name": name} | content.pop("metadata", {})
    return {"kind": kind, "metadata": metadata} | content


ROUTE = {
    "apiVersion": "traefik.io/v1alpha1",
    "kind": "IngressRoute",
    "metadata": {"name": "ann"},
    "spec": {"routes": [{"match": "a"}], "tls": {"secretName": "s"}},
}
MERGE = {"annotations": {"mcks.hub.jupyter.org/patch-type": "merge"}}
OPTIONAL = {"annotations": {"mcks.hub.jupyter.org/optional": "true"}}


def test_each_patch_meets_its_object_in_order() -> None:
    objects = [pod(), pod("bob")]
    gpu = change(spec={"nodeSelector": {"gpu": "1"}})
    cpu = change(spec={"nodeSelector": {"gpu": None, "cpu": "1"}})
    result = apply_patches(objects, [("10-gpu", gpu), ("20-cpu", cpu)])
    assert result[0]["spec"]["nodeSelector"] == {"cpu": "1"}
    assert result[1] is objects[1]


def test_inputs_stay_as_they_are_and_share_nothing_with_the_result() -> None:
    objects = [pod()]
    patches = [("10", change(spec={"affinity": {"a": [{"b": 1}]}}))]
    before = copy.deepcopy((objects, patches))
    (result,) = apply_patches(objects, patches)
    result["spec"]["affinity"]["a"][0]["b"] = 2
    result["spec"]["containers"][0]["image"] = "j"
    assert (objects, patches) == before


def test_no_patches_give_the_objects() -> None:
    objects = [pod()]
    assert apply_patches(objects, []) == objects


def test_api_version_and_namespace_count_if_the_patch_names_them() -> None:
    there = pod()
    there["metadata"]["namespace"] = "jupyter"
    objects = [pod(), there]
    patched = change(apiVersion="v1", metadata={"namespace": "jupyter"}, spec={"hostname": "h"})
    result = apply_patches(objects, [("10", patched)])
    assert result[0] is objects[0]
    assert result[1]["spec"]["hostname"] == "h"


def test_a_custom_resource_is_patched_as_a_json_merge_if_the_patch_says_so() -> None:
    patched = change("IngressRoute", metadata=MERGE, spec={"routes": [{"match": "b"}], "tls": None})
    (result,) = apply_patches([ROUTE], [("10", patched)])
    assert result["spec"] == {"routes": [{"match": "b"}]}
    assert result["metadata"] == {"name": "ann"}


def test_a_custom_resource_may_have_fields_that_begin_with_a_dollar() -> None:
    patched = change("IngressRoute", metadata=MERGE, spec={"schema": {"$ref": "x"}})
    (result,) = apply_patches([ROUTE], [("10", patched)])
    assert result["spec"]["schema"] == {"$ref": "x"}


def test_our_annotations_never_reach_the_object_but_others_do() -> None:
    annotations = {
        "mcks.hub.jupyter.org/patch-type": "strategic",
        "mcks.hub.jupyter.org/optional": "true",
        "mcks.hub.jupyter.org/lifetime": "user",
    }
    (result,) = apply_patches([pod()], [("10", change(metadata={"annotations": annotations}))])
    assert result["metadata"]["annotations"] == {"mcks.hub.jupyter.org/lifetime": "user"}


def test_an_optional_patch_without_its_target_does_nothing() -> None:
    objects = [pod()]
    assert apply_patches(objects, [("10", change("Ingress", metadata=OPTIONAL))]) == objects


def test_an_optional_patch_is_applied_to_its_target() -> None:
    patched = change(metadata=OPTIONAL, spec={"hostname": "h"})
    (result,) = apply_patches([pod()], [("10", patched)])
    assert result["spec"]["hostname"] == "h"
    assert "annotations" not in result["metadata"]


def test_empty_annotations_of_a_patch_are_no_annotations_of_ours() -> None:
    (result,) = apply_patches([pod()], [("10", change(metadata={"annotations": {}}))])
    assert result["metadata"]["annotations"] == {}


def test_values_that_only_look_like_json_are_taken_for_what_they_are() -> None:
    class Marked(str):
        __slots__ = ()

    spec = OrderedDict({Marked("hostname"): Marked("h"), "tolerations": ({"key": "a"},)})
    patched: Any = MappingProxyType(change(spec=MappingProxyType(spec)))
    (result,) = apply_patches([pod()], [("10", patched)])
    assert type(result["spec"]["hostname"]) is str
    assert {type(key) for key in result["spec"]} == {str}
    assert result["spec"]["tolerations"] == [{"key": "a"}]


REFUSED: list[tuple[str, Any, str, tuple[str, ...]]] = [
    ("not a map", ["x"], "", ("a patch is a map with kind and metadata.name", "list")),
    ("nothing", None, "", ("a patch is a map with kind and metadata.name",)),
    ("no name", {"kind": "Pod"}, "", ("give kind and metadata.name",)),
    ("a number for a name", change(name=7), "", ("give kind and metadata.name",)),
    ("no kind", {"metadata": {"name": "ann"}}, "", ("give kind and metadata.name",)),
    ("metadata is a list", {"kind": "Pod", "metadata": []}, "", ("give kind and metadata.name",)),
    ("another user's object", change(name="bob"), "", ("'Pod/bob'", "Pod/ann", "optional")),
    ("wrong case", change("pod"), "", ("Did you mean 'v1/Pod/ann'",)),
    ("other version", change(apiVersion="v2"), "", ("Did you mean 'v1/Pod/ann'",)),
    ("other namespace", change(metadata={"namespace": "n"}), "", ("v1/Pod/ann",)),
    ("custom resource", change("IngressRoute"), "", ("try --type merge", "patch-type: merge")),
    (
        "unknown patch type",
        change(metadata={"annotations": {"mcks.hub.jupyter.org/patch-type": "json"}}),
        "",
        ("unknown patch type 'json'", "merge, strategic"),
    ),
    (
        "optional without quotes",
        change(metadata={"annotations": {"mcks.hub.jupyter.org/optional": True}}),
        "",
        ('must be "true" or "false", in quotes',),
    ),
    ("typo of a directive", change(spec={"$path": "delete"}), "spec.$path", ("'$patch'",)),
    (
        "typo of a directive in an element",
        change(spec={"containers": [{"name": "notebook", "$path": "delete"}]}),
        "spec.containers[0].$path",
        ("Did you mean '$patch'",),
    ),
    (
        "typo of a longer directive",
        change(spec={"$setElementOrders": ["x"]}),
        "spec.$setElementOrders",
        ("invalid patch format of setElementOrder list",),
    ),
    ("typo of retainKeys", change(spec={"$retainKey": []}), "spec.$retainKey", ("'$retainKeys'",)),
    ("no directive at all", change(data={"$q": "x"}), "data.$q", ("Known: $patch, $retainKeys",)),
    (
        "a directive in added content",
        change(spec={"affinity": {"$retainKeys": ["a"], "a": 1}}),
        "spec.affinity.$retainKeys",
        ("nothing to steer",),
    ),
    (
        "a directive in a new element",
        change(spec={"containers": [{"name": "b", "resources": {"$patch": "delete"}}]}),
        "spec.containers[0].resources.$patch",
        ("nothing to steer",),
    ),
    (
        "a directive in a merge patch",
        change("IngressRoute", metadata=MERGE, spec={"tls": {"$patch": "replace"}}),
        "spec.tls.$patch",
        ("has no effect here",),
    ),
    ("delete of the object", change(**{"$patch": "delete"}), "", ("'Kind' is missing",)),
    (
        "replacement without the version",
        change(**{"$patch": "replace"}, spec={}),
        "",
        ("would change apiVersion from 'v1' to None",),
    ),
    (
        "another name by a directive",
        change(metadata={"$patch": "delete"}),
        "",
        ("would change metadata.name from 'ann' to None", "template"),
    ),
    ("no JSON", change(spec={"a": ({1, 2},)}), "spec.a[0]", ("invalid JSON document", "set")),
    ("a key that is no string", change(spec={1: 2}), "spec", ("the key 1 is no string", "Quote")),
    (
        "an unknown field on both sides",
        change(spec={"container": {"a": 1}}),
        "spec.container",
        ("unable to find api field", "Did you mean 'containers'"),
    ),
]


@pytest.mark.parametrize(
    ("patched", "path", "says"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_a_bad_patch_is_refused_with_key_path_and_remedy(
    patched: Any, path: str, says: tuple[str, ...]
) -> None:
    objects = [pod(container={"a": 2}), ROUTE]
    before = copy.deepcopy(objects)
    with pytest.raises(BadPatch) as caught:
        apply_patches(objects, [("00-fine", change(spec={"hostname": "h"})), ("10-mine", patched)])
    assert caught.value.key == "10-mine"
    assert caught.value.path == path
    assert str(caught.value).startswith("patch '10-mine'")
    for words in says:
        assert words in str(caught.value)
    assert objects == before


def test_a_target_that_is_there_twice_is_ambiguous() -> None:
    there = pod()
    there["metadata"]["namespace"] = "jupyter"
    with pytest.raises(BadPatch, match="more than one object: v1/Pod/ann, v1/Pod/jupyter/ann"):
        apply_patches([pod(), there], [("10", change())])


def test_a_dollar_that_the_object_had_before_is_none_of_the_patchs_business() -> None:
    spec: dict[str, Any] = {"$odd": 1}
    odd = pod(**spec)
    (result,) = apply_patches([odd], [("10", change(spec={"hostname": "h", "$odd": 2}))])
    assert result["spec"]["$odd"] == 2
