"""Templates and patches to the objects of one server: order, marks, and whose mistake it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mcks.core.manifests.render import render_objects, render_text
from mcks.core.objects import Manifest
from mcks.errors import BadPatch, BadTemplate
from tests.bench import bench_render

VARIABLES = {"key": "jupyter-ada", "port": 8888, "username": "ada"}

POD = """
    apiVersion: v1
    kind: Pod
    metadata:
      name: {{key}}
      labels: {component: server}
    spec:
      containers:
      - name: notebook
        image: a/b:1
    """
SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{key}}\n"


def objects(
    templates: Mapping[str, str],
    patches: Mapping[str, str] | None = None,
    **marks: Any,
) -> list[Manifest]:
    return render_objects(
        templates,
        patches or {},
        VARIABLES,
        labels=marks.get("labels", {}),
        annotations=marks.get("annotations", {}),
    )


def bad_template(text: str, **more: str) -> BadTemplate:
    with pytest.raises(BadTemplate) as caught:
        objects({"10-x": text, **more})
    return caught.value


def bad_patch(text: str) -> BadPatch:
    with pytest.raises(BadPatch) as caught:
        objects({"02-pod": POD}, {"10-x": text})
    assert "patch '10-x'" in str(caught.value)
    return caught.value


def test_objects_come_in_the_order_of_the_keys_and_of_the_documents() -> None:
    templates = {"02-pod": POD, "01-more": SECRET + "---\n" + SECRET.replace("{{key}}", "other")}
    kinds = [(o["kind"], o["metadata"]["name"]) for o in objects(templates)]
    assert kinds == [("Secret", "jupyter-ada"), ("Secret", "other"), ("Pod", "jupyter-ada")]


def test_our_labels_and_annotations_win_over_templates_and_patches() -> None:
    patch = """
        kind: Pod
        metadata:
          name: {{key}}
          labels: {ours: null, theirs: "1"}
          annotations: {ours: patched, also: "2"}
        """
    [pod] = objects({"02-pod": POD}, {"p": patch}, labels={"ours": "l"}, annotations={"ours": "a"})
    assert pod["metadata"]["labels"] == {"component": "server", "theirs": "1", "ours": "l"}
    assert pod["metadata"]["annotations"] == {"also": "2", "ours": "a"}


def test_marks_may_replace_empty_labels_and_are_left_out_when_there_are_none() -> None:
    [secret] = objects({"s": SECRET + "  labels:\n"}, labels={"a": "b"})
    assert secret["metadata"] == {"name": "jupyter-ada", "labels": {"a": "b"}}
    [secret] = objects({"s": SECRET})
    assert secret["metadata"] == {"name": "jupyter-ada"}


def test_a_patch_may_remove_all_labels_but_ours() -> None:
    patch = "kind: Pod\nmetadata: {name: '{{key}}', labels: null}"
    [pod] = objects({"02-pod": POD}, {"p": patch}, labels={"a": "b"})
    assert pod["metadata"]["labels"] == {"a": "b"}


def test_patches_apply_in_the_order_of_their_keys_and_may_hold_several_documents() -> None:
    image = (
        "kind: Pod\nmetadata: {name: '{{key}}'}\nspec:\n  containers: [{name: notebook, image: %s}]"
    )
    patches = {"2": image % "second", "1": image % "first", "0": "---\n# nothing\n"}
    [pod] = objects({"02-pod": POD}, patches)
    assert pod["spec"]["containers"] == [{"name": "notebook", "image": "second"}]
    both = "\n---\n".join([image % "first", image % "last"])
    [pod] = objects({"02-pod": POD}, {"0": both})
    assert pod["spec"]["containers"][0]["image"] == "last"


def test_what_is_returned_is_new_each_time() -> None:
    first = objects({"02-pod": POD, "s": SECRET}, labels={"a": "b"})
    first[0]["spec"]["containers"].clear()
    first[1]["metadata"]["labels"]["a"] = "c"
    again = objects({"02-pod": POD, "s": SECRET}, labels={"a": "b"})
    assert len(again[0]["spec"]["containers"]) == 1
    assert again[1]["metadata"]["labels"] == {"a": "b"}


def test_objects_of_one_name_may_differ_in_kind_group_or_namespace() -> None:
    texts = [
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x}",
        "apiVersion: v1\nkind: Service\nmetadata: {name: x, namespace: other}",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: x}",
    ]
    assert len(objects({"x": "\n---\n".join(texts)})) == 4


def test_two_templates_that_make_the_same_object_are_both_named() -> None:
    error = bad_template(SECRET, **{"00-a": SECRET.replace("{{key}}", "jupyter-ada")})
    assert error.key == "10-x"
    assert "document 1 is the Secret 'jupyter-ada' that template '00-a' makes" in str(error)
    two_versions = (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\n---\n"
        "apiVersion: batch/v1beta1\nkind: Job\nmetadata: {name: x}"
    )
    assert "document 2 is the Job 'x'" in str(bad_template(two_versions))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Pod\nmetadata: {name: x}", "document 1: has no apiVersion. Write it"),
        ("apiVersion: v1\nmetadata: {name: x}", "has no kind. Write it"),
        ("apiVersion: v1\nkind: [Pod]\nmetadata: {name: x}", "has no kind"),
        ("apiVersion: v1\nkind: Pod", "this Pod has no metadata.name. Write"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\nname: x", "no metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: ''}", "no metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}", "no metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: [name]", "no metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: {a: b}}", "no metadata.name"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: [a]}",
            "namespace is not a text",
        ),
        ("apiVersion: v1\nkind: PodList\nitems: []", "Write its items as documents of their own"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: x, labels: [a]}", "labels is not a mapping"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: x, annotations: a}", "annotations is not"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: 1}", "metadata.name is the number 1"),
        (SECRET + "stringData: {a: {{ port }}}", "stringData.a is the number 8888, but Kubernetes"),
        (SECRET + "stringData: {a: on}", "the boolean true (as yes, no, on, off, y and n are"),
    ],
)
def test_a_bad_object_names_its_template_and_what_to_write(text: str, message: str) -> None:
    error = bad_template(f"# nothing\n---\n{text}")
    assert error.key == "10-x"
    assert message in str(error)


def test_a_patch_that_cannot_be_rendered_is_a_bad_patch_with_its_line() -> None:
    error = bad_patch("kind: Pod\nmetadata:\n  name: {{ kee }}")
    assert str(error).startswith("patch '10-x' at line 3: unknown variable 'kee'. Did you mean")
    assert "at line 2: not valid YAML" in str(bad_patch("a: {{ key }}\n b: {{ key }}"))
    assert "document 1 is a list" in str(bad_patch("- op: add"))


def test_a_number_in_a_patch_blames_the_patch() -> None:
    error = bad_patch(
        "kind: Pod\nmetadata: {name: '{{key}}'}\nspec:\n  containers:\n"
        "  - {name: notebook, env: [{name: A, value: 1}]}"
    )
    assert "at spec.containers[0].env[0].value: is the number 1, but Kubernetes wants" in str(error)
    assert 'Quote it: value: "..."' in str(error)


def test_a_patch_for_another_object_is_refused() -> None:
    assert "Pod/jupyter-bob" in str(bad_patch("kind: Pod\nmetadata: {name: jupyter-bob}"))


def test_a_merge_patch_for_a_custom_resource_is_not_searched_for_strings() -> None:
    thing = "apiVersion: a.org/v1\nkind: Thing\nmetadata: {name: x}\nspec: {env: [{value: 1}]}"
    patch = """
        kind: Thing
        metadata:
          name: x
          annotations: {"mcks.hub.jupyter.org/patch-type": merge}
        spec: {env: [{value: 2}]}
        """
    [result] = objects({"a": thing}, {"b": patch})
    assert result["spec"] == {"env": [{"value": 2}]}
    assert "annotations" not in result["metadata"]


def test_a_name_is_rendered_as_text() -> None:
    assert render_text("k", "jupyter-{{ username }}--{{ port }}", VARIABLES) == "jupyter-ada--8888"
    assert render_text("k", "{{ x }}", {"x": "a: {{ b }}"}) == "a: {{ b }}"
    with pytest.raises(BadTemplate, match="template 'key_template', line 1: unknown variable 'x'"):
        render_text("key_template", "{{ x }}", {})


def test_the_benchmark_measures_what_users_get() -> None:
    kinds = [manifest["kind"] for manifest in bench_render.render_server("ada")]
    assert kinds == ["Secret", "ServiceAccount", "Pod", "Service", "Ingress"]
    assert bench_render.measure(3).keys() == {"first", "median", "p99"}
