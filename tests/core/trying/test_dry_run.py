"""The objects of a start are judged by the API server, each once, and nothing of them is kept."""

from __future__ import annotations

import json

import pytest
from aiohttp import web
from traitlets.config import Config

from tests.core.trying.common import CONTOUR, Cluster, checked
from tests.fakes.loopback import Handler, status

GPU = """
kind: Pod
metadata: {name: "{{key}}"}
spec:
  priorityClassName: gpu
  containers:
  - name: notebook
    resources: {limits: {nvidia.com/gpu: 1}}
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: "{{key}}-home"}
spec:
  storageClassName: fast
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
"""


async def test_the_objects_of_each_choice_are_judged_once_and_without_secrets(
    config: Config, cluster: Cluster
) -> None:
    config.MultiClusterKubeSpawner.environment = {"PASSWORD": "THEPASSWORDOFTHESCHEMA"}
    config.MultiClusterKubeSpawner.profile_list = [
        {"display_name": "Small"},
        {"display_name": "Large", "spawner_override": {"mem_limit": "8G"}},
    ]
    step = (await checked(config))["objects"]
    assert (step.result, step.what) == ("ok", "6 objects would be accepted")
    kinds = sorted(sent["kind"] for sent in cluster.judged)
    assert kinds == ["Ingress", "Pod", "Pod", "Secret", "Service", "ServiceAccount"]
    assert {sent["metadata"]["namespace"] for sent in cluster.judged} == {"jhub"}
    assert "THEPASSWORDOFTHESCHEMA" not in json.dumps(cluster.judged)
    assert not [path for path in cluster.objects if "jupyter-ada" in path]
    pods = [sent for sent in cluster.judged if sent["kind"] == "Pod"]
    assert not [pod for pod in pods if "serviceAccountName" in pod["spec"]]


@pytest.mark.parametrize(
    ("message", "to_do"),
    [
        ('pods "x" is forbidden: exceeded quota: q, requested: pods=1', "raise the ResourceQuota"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "change the profile"),
        ('admission webhook "a.b" denied the request: no', "change the profile"),
        ("no PriorityClass with name gpu was found", ""),
    ],
)
async def test_what_the_cluster_refuses_is_told_in_its_own_words(
    config: Config, cluster: Cluster, message: str, to_do: str
) -> None:
    cluster.refused["Pod"] = status(403, "Forbidden", message)
    config.MultiClusterKubeSpawner.profile_list = [{"display_name": "Small"}]
    step = (await checked(config))["objects"]
    assert step.result == "failed"
    assert step.what.startswith("profile 'small': cannot create Pod jupyter-ada in namespace jhub")
    assert step.what.endswith(message)
    assert step.to_do.startswith(to_do)


async def test_what_is_named_and_not_there_is_told(config: Config, cluster: Cluster) -> None:
    config.MultiClusterKubeSpawner.patches = {"10-gpu": GPU}
    config.MultiClusterKubeSpawner.resources = {"10-home": CLAIM}
    step = (await checked(config))["objects"]
    assert step.what == "there is no PriorityClass gpu; there is no StorageClass fast"
    assert step.to_do == "make what is missing, or name another"
    for version, kind, name in [
        ("scheduling.k8s.io/v1", "priorityclasses", "gpu"),
        ("storage.k8s.io/v1", "storageclasses", "fast"),
    ]:
        cluster.objects[f"/apis/{version}/{kind}/{name}"] = {"kind": kind, "metadata": {}}
    assert (await checked(config))["objects"].what == "6 objects would be accepted"


async def test_what_the_hub_may_not_see_is_no_mistake(config: Config, cluster: Cluster) -> None:
    async def forbid(request: web.Request, _handler: Handler) -> web.StreamResponse | None:
        cluster.fail_next(forbid)
        return status(403, "Forbidden") if request.path == CONTOUR else None

    cluster.fail_next(forbid)
    step = (await checked(config))["objects"]
    assert step.result == "ok"
    assert "may not see whether there is IngressClass contour" in step.what
    assert "mcks rbac --classes" in step.what


async def test_with_a_namespace_for_each_user_only_that_can_be_judged(
    config: Config, cluster: Cluster
) -> None:
    config.Cluster.namespace = "jupyter-{{username}}"
    assert (await checked(config))["objects"].what == "1 object would be accepted"
    assert [sent["kind"] for sent in cluster.judged] == ["Namespace"]
