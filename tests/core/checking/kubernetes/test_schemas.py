"""Objects are compared with Kubernetes' own schemas; a real API server judges the same objects."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from mcks.core.checking.kubernetes import schemas
from mcks.core.objects import Manifest
from mcks.errors import MissingDependency
from tests.cluster.api import APIAnswer, KubernetesAPI
from tests.cluster.fixtures import Namespace
from tests.core.checking.kubernetes.wrong_objects import (
    PLAIN,
    RIGHT,
    WRONG,
    WRONG_FOR_THE_NODE,
    Case,
)


@pytest.mark.parametrize("case", [*WRONG, *WRONG_FOR_THE_NODE], ids=str)
def test_a_mistake_is_told_where_it_is_and_alone(case: Case) -> None:
    found = schemas.schemas().mistakes(case.manifest)
    assert [case.words in mistake.what for mistake in found] == [True], found


@pytest.mark.parametrize("case", RIGHT, ids=str)
@pytest.mark.parametrize("version", schemas.versions())
def test_what_is_right_is_left_alone_in_every_version(case: Case, version: str) -> None:
    assert schemas.schemas(version).mistakes(case.manifest) == []


def test_all_mistakes_of_an_object_are_told_at_once() -> None:
    pod = Case("Pod", ("spec", "containers", 0, "resources", "limit"), {}).manifest
    pod["metadata"]["labels"] = {"a": 1, "b c": "x", "d": "e f"}
    pod["spec"]["containers"][0]["imagePullPolicy"] = "always"
    assert [mistake.place for mistake in schemas.schemas().mistakes(pod)] == [
        "metadata.labels.a",
        "metadata.labels.b c",
        "metadata.labels.d",
        "spec.containers[0].imagePullPolicy",
        "spec.containers[0].resources.limit",
    ]


def test_custom_resources_are_left_alone() -> None:
    thing: Manifest = {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": "x"},
        "spec": {"anything": 1},
    }
    assert schemas.schemas().mistakes(thing) == []
    route = {**thing, "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute"}
    assert schemas.schemas().mistakes(route) == []


@pytest.mark.parametrize(
    ("asked", "taken"),
    [("v1.30.5-gke.1200", "1.30"), ("1.33", "1.33"), ("v1.29+", "1.29"), ("1.1", "1.25")],
)
def test_the_schemas_are_those_of_the_clusters_version(asked: str, taken: str) -> None:
    assert schemas.schemas(asked).version == taken


def test_a_version_newer_than_all_that_are_there_is_read_by_the_newest() -> None:
    assert schemas.schemas("1.999").version == schemas.schemas().version == schemas.versions()[-1]


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes_validate", None)
    with pytest.raises(MissingDependency, match=r"pip install 'mcks\[check\]'"):
        schemas.versions()


def test_an_objects_schema_is_put_together_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    original = schemas._validator

    def counted(schema: dict[str, Any]) -> Any:
        made.append(schema)
        return original(schema)

    monkeypatch.setattr(schemas, "_validator", counted)
    known = schemas.schemas.__wrapped__("")
    for _ in range(3):
        assert known.mistakes(PLAIN["Pod"]) == []
    assert len(made) == 1


@pytest.mark.cluster
def test_a_real_api_server_refuses_and_takes_the_same_objects(
    api: KubernetesAPI, namespace: Namespace
) -> None:
    taken = [str(case) for case in WRONG if not _refused(api, namespace.name, case.manifest)]
    assert taken == []
    refused = {
        str(case): why for case in RIGHT if (why := _refused(api, namespace.name, case.manifest))
    }
    assert refused == {}


def _refused(api: KubernetesAPI, namespace: str, manifest: Manifest) -> str:
    """Ask the API server what it would say, and why; "" if it would take *manifest*."""
    version, kind = manifest["apiVersion"], manifest["kind"]
    plural = {"Ingress": "ingresses"}.get(kind, f"{kind.lower()}s")
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    query = {"dryRun": "All", "fieldValidation": "Strict"}
    try:
        api.request("POST", f"{root}/namespaces/{namespace}/{plural}", manifest, query=query)
    except APIAnswer as answer:
        return str(answer)
    return ""
