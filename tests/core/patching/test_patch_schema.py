"""The table of merge keys: what is in it, and that it is what the generator makes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mcks.core.patching import patch_schema
from mcks.core.patching.patch_schema import Field
from tests.generate import patch_schema as generator

FIELDS = Path(__file__).parents[2] / "cases" / "patch-fields.tsv"

OUT_OF_REACH = {
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps": "kubectl refuses CRDs",
    "core.v1.ContainerStatus": "inside containerStatuses, which is replaced",
    "core.v1.PodVolumeHealth": "inside volumeHealth, which is replaced",
    "kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus": "kubectl refuses APIService",
    "meta.v1.LabelSelectorRequirement": "a scalar, and inside a list that is replaced",
    "scheduling.v1alpha2.PodGroupTemplate": "inside podGroupTemplates, which is replaced",
    "scheduling.v1alpha3.PodGroupTemplate": "inside podGroupTemplates, which is replaced",
    "scheduling.v1beta1.PodGroupTemplate": "inside podGroupTemplates, which is replaced",
    "storagemigration.v1alpha1.StorageVersionMigrationList": "a list of objects is no object",
}


def marked() -> dict[tuple[str, str], tuple[str, str]]:
    lines = FIELDS.read_text(encoding="utf-8").splitlines()
    rows = [[*line.split("\t"), ""] for line in lines if not line.startswith("#")]
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def test_the_file_is_what_the_generator_makes_of_kubernetes_schemas() -> None:
    assert generator.TARGET.read_text(encoding="utf-8") == generator.render()


def test_every_field_that_kubernetes_marks_is_there() -> None:
    fields = marked()
    assert len(fields) == 111
    for (type_name, field), (strategy, merge_key) in fields.items():
        if type_name in OUT_OF_REACH:
            continue
        found = patch_schema.fields(type_name)[field]
        assert found.merge_key == merge_key
        assert found.strategy == strategy.replace("retainKeys", "").strip(",")


def test_no_other_field_has_a_strategy() -> None:
    types = patch_schema._table()["types"]
    found = {
        (type_name, name)
        for type_name in types
        for name, field in patch_schema.fields(type_name).items()
        if field.strategy or field.merge_key
    }
    replaced_by_nothing = {("apps.v1.DeploymentSpec", "strategy")}
    assert found == {f for f in marked() if f[0] not in OUT_OF_REACH} - replaced_by_nothing


@pytest.mark.parametrize("type_name", OUT_OF_REACH)
def test_what_no_patch_can_reach_is_left_out(type_name: str) -> None:
    assert patch_schema.fields(type_name) == {}


def test_all_types_that_are_named_are_there() -> None:
    table = patch_schema._table()
    used = {name for kinds in table["kinds"].values() for name in kinds.values()}
    for type_name in table["types"]:
        used |= {field.type_name for field in patch_schema.fields(type_name).values()}
    assert used - {patch_schema.FREE_FORM} == set(table["types"])


def test_all_kinds_that_an_administrator_may_patch_are_there() -> None:
    kinds = patch_schema.kinds()
    assert len(kinds) > 100
    assert patch_schema.type_of("v1", "Pod") == "core.v1.Pod"
    assert patch_schema.type_of("rbac.authorization.k8s.io/v1", "Role") == "rbac.v1.Role"
    assert ("networking.k8s.io/v1", "Ingress") in kinds


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("apiregistration.k8s.io/v1", "APIService"),
        ("v1", "pod"),
        ("v1", "PodList"),
        ("v1", "DeleteOptions"),
        ("v2", "Pod"),
        ("extensions/v1beta1", "Ingress"),
        ("", ""),
    ],
)
def test_what_kubectl_refuses_or_no_cluster_serves_is_not_there(
    api_version: str, kind: str
) -> None:
    assert patch_schema.type_of(api_version, kind) is None


def test_a_fields_words_are_understood() -> None:
    pod = patch_schema.fields("core.v1.PodSpec")
    assert pod["volumes"] == Field(True, "core.v1.Volume", "merge", "name")
    assert pod["tolerations"] == Field(True, "", "", "")
    assert pod["nodeSelector"] == Field(False, "", "", "")
    assert patch_schema.fields("meta.v1.ObjectMeta")["finalizers"] == Field(True, "", "merge", "")
    assert patch_schema.fields(patch_schema.FREE_FORM) == {}


def test_a_changed_merge_key_stops_the_generator() -> None:
    schemas = {
        minor: {
            generator._OBJECT_META: {},
            "io.k8s.api.x.v1.Thing": {
                "properties": {
                    "metadata": {"$ref": f"#/$defs/{generator._OBJECT_META}"},
                    "items": {
                        "type": "array",
                        "items": {"type": "object"},
                        "x-kubernetes-patch-strategy": "merge",
                        "x-kubernetes-patch-merge-key": key,
                    },
                },
                "x-kubernetes-group-version-kind": [
                    {"group": "x", "version": "v1", "kind": "Thing"}
                ],
            },
        }
        for minor, key in ((1, "name"), (2, "id"))
    }
    with pytest.raises(SystemExit, match="items was 'list - merge name' and is 'list - merge id'"):
        generator.build(schemas)


def test_the_table_is_small_and_loads_in_no_time() -> None:
    assert generator.TARGET.stat().st_size < 100_000
    seconds = []
    for _ in range(5):
        patch_schema._table.cache_clear()
        start = time.process_time()
        patch_schema.type_of("v1", "Pod")
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.05
