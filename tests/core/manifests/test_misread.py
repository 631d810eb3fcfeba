"""A number or boolean where Kubernetes wants a string is found, and only there."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pytest

from mcks.core.manifests import misread as fields
from mcks.core.manifests.misread import misread
from tests.core.manifests.one_document import load

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n"


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("kind: Pod\nmetadata: {name: 123}", "metadata.name", 123),
        ("kind: Pod\nmetadata: {labels: {a: b, c: 1}}", "metadata.labels.c", 1),
        ("kind: Pod\nmetadata: {annotations: {c: yes}}", "metadata.annotations.c", True),
        ("kind: ConfigMap\ndata: {a: 1.5}", "data.a", 1.5),
        ("kind: Secret\ndata: {a: 1}", "data.a", 1),
        ("kind: Secret\nstringData: {a: true}", "stringData.a", True),
        ("apiVersion: 1\nkind: Pod", "apiVersion", 1),
        ("apiVersion: v1\nkind: on", "kind", True),
        (POD + "  nodeSelector: {gpu: true}", "spec.nodeSelector.gpu", True),
        (
            POD + "  containers: [{name: a, env: [{name: A, value: a}, {name: B, value: 1}]}]",
            "spec.containers[0].env[1].value",
            1,
        ),
        (POD + "  containers: [{env: [{name: Y}]}]", "spec.containers[0].env[0].name", True),
        (POD + "  containers: [{}, {command: [sleep, 5]}]", "spec.containers[1].command[1]", 5),
        (POD + "  initContainers: [{args: [0644]}]", "spec.initContainers[0].args[0]", 420),
        (POD + "  tolerations: [{key: a, value: true}]", "spec.tolerations[0].value", True),
        (POD + "  hostname: 12", "spec.hostname", 12),
        (
            "kind: Pod\nspec: {affinity: {x: {z: [{matchExpressions: [{values: [a, 1]}]}]}}}",
            "spec.affinity.x.z[0].matchExpressions[0].values[1]",
            1,
        ),
        ("kind: Service\nspec: {selector: {a: 1}}", "spec.selector.a", 1),
        (
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {labels: {a: 1}}",
            "metadata.labels.a",
            1,
        ),
    ],
)  # fmt: skip
def test_it_is_found_with_its_path(text: str, path: str, value: Any) -> None:
    found = misread(load(text))
    assert found is not None
    assert (found.path, found.value) == (path, value)
    assert (found.field is None) == path.endswith("]")


@pytest.mark.parametrize(
    "text",
    [
        POD + "  containers: [{name: a, resources: {limits: {cpu: 1, memory: 5e9, gpu: 2}}}]",
        POD
        + "  containers: [{ports: [{containerPort: 80}], livenessProbe: {httpGet: {port: 80}}}]",
        POD + "  containers: [{securityContext: {privileged: true, runAsUser: 0}}]",
        POD + "  automountServiceAccountToken: false\n  terminationGracePeriodSeconds: 5",
        POD + "  volumes: [{name: a, configMap: {defaultMode: 0644, items: [{key: a, mode: 1}]}}]",
        POD + "  containers: [{env: [{name: A, value: null}]}]",
        "kind: PriorityClass\nvalue: 1000",
        "kind: ConfigMap\nmetadata: {labels: null, annotations: {a: null}}\ndata: null",
        "apiVersion: example.org/v1\nkind: Thing\nspec: {name: 1, env: [{value: 1}], command: [1]}",
        "apiVersion: example.org/v1\nkind: Thing\ndata: {a: 1}",
        "kind: NetworkPolicy\nspec: {ingress: [{ports: [{port: 1}]}]}",
        "kind: Pod\nmetadata: []\nspec: 3",
        "{}",
    ],
)
def test_numbers_and_booleans_elsewhere_are_fine(text: str) -> None:
    assert misread(load(text)) is None


def test_a_patch_for_a_custom_resource_may_leave_out_its_api_version() -> None:
    patch = load("kind: Thing\nmetadata: {name: x}\nspec: {name: 1}")
    assert misread(patch, custom=True) is None
    assert misread(patch) == ("spec.name", "name", 1)


@lru_cache
def types_by_field() -> dict[str, dict[str, set[str]]]:
    """Collect from the newest schemas: field name -> its types -> the objects that have it so."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    folder = files("kubernetes_validate") / "kubernetes-json-schema"
    names = [d.name for d in folder.iterdir() if d.name.endswith("-local")]
    newest = max(names, key=lambda name: int(name.split(".")[1]))
    schema = json.loads((folder / newest / "_definitions.json").read_text())
    definitions = schema.get("definitions") or schema["$defs"]
    for name, definition in definitions.items():
        if "apiextensions" not in name:  # JSON schema's own fields: default, enum, ...
            for field, of_field in definition.get("properties", {}).items():
                found[field][type_name(definitions, of_field)].add(name.rsplit(".", 1)[1])
    return found


def type_name(definitions: dict[str, Any], schema: dict[str, Any]) -> str:
    if "allOf" in schema:
        [schema] = schema["allOf"]
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        number = name.endswith((".Quantity", ".IntOrString"))
        return "number" if number else type_name(definitions, definitions[name])
    kind = schema.get("type", "any")
    kind = next(k for k in kind if k != "null") if isinstance(kind, list) else kind
    if kind == "array":
        return "list of " + type_name(definitions, schema["items"])
    if kind == "object" and "properties" not in schema:
        inner = schema.get("additionalProperties")
        return "map of " + type_name(definitions, inner) if inner else "any"
    return "number" if kind in ("integer", "boolean") else kind


def scalars_of(field: str, prefix: str = "") -> Iterator[str]:
    for kind in types_by_field()[field]:
        if kind.startswith(prefix):
            yield kind.removeprefix(prefix)


@pytest.mark.parametrize("field", sorted(fields.FIELDS))
def test_a_field_in_the_table_is_never_a_number_in_a_built_in_kind(field: str) -> None:
    kinds = set(scalars_of(field))
    assert "string" in kinds
    assert not {"number", "any"} & kinds


@pytest.mark.parametrize("field", sorted(fields.MAPS))
def test_a_map_in_the_table_never_holds_numbers_in_a_built_in_kind(field: str) -> None:
    assert set(scalars_of(field, "map of ")) == {"string"}
    assert "any" not in types_by_field()[field]


@pytest.mark.parametrize("field", sorted(fields.LISTS))
def test_a_list_in_the_table_never_holds_numbers_in_a_built_in_kind(field: str) -> None:
    kinds = set(scalars_of(field, "list of "))
    assert "string" in kinds
    assert not {"number", "any"} & kinds


def test_value_and_values_are_strings_in_the_lists_of_the_table() -> None:
    strings_only = {"DeviceTaint", "DeviceToleration", "EnvVar", "HTTPHeader", "PodDNSConfigOption"}
    strings_only |= {"Sysctl", "Taint", "Toleration"}
    assert types_by_field()["value"]["string"] == strings_only
    assert {"LabelSelectorRequirement", "NodeSelectorRequirement"} <= types_by_field()["values"][
        "list of string"
    ]
