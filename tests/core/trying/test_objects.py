"""A real API server tells what it would refuse, and a check says it before a user meets it."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme
from aiohttp import web
from traitlets.config import Config

from mcks.core.trying import cluster_check, hub_role
from mcks.core.trying.report import Step
from mcks.core.trying.subjects import subjects
from tests.cluster.access import HUB_ACCOUNT, HUB_NAMESPACE
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace

pytestmark = pytest.mark.cluster

QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "none"},
    "spec": {"hard": {"pods": "0"}},
}
POD = "kind: Pod\nmetadata: {{name: '{{{{key}}}}'}}\nspec: {{{}}}\n"
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: "{{key}}-home"}
spec:
  storageClassName: no-such-class
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
"""


@pytest.fixture
def config(clusters: Clusters, namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("KUBECONFIG", str(namespace.kubeconfig))
    cluster, config = clusters["a"], Config()
    config.MultiClusterKubeSpawner.clusters = {
        "a": {"context": cluster.context, "ingress_public_url": cluster.gateway_url}
    }
    return config


async def tried(config: Config, name: str = "objects") -> Step:
    [report] = await cluster_check.check(subjects(config))
    return next(step for step in report.steps if step.step == name)


async def test_a_healthy_cluster_would_accept_all(config: Config) -> None:
    [report] = await cluster_check.check(subjects(config))
    assert [step.result for step in report.steps] == ["ok"] * 6, report
    assert report.steps[4].what.startswith("5 objects would be accepted")


async def test_a_quota_that_has_no_room_is_told(
    config: Config, api: KubernetesAPI, namespace: Namespace
) -> None:
    api.create(QUOTA, namespace.name)
    await _until_counted(api, namespace)
    step = await tried(config)
    assert step.result == "failed"
    assert "exceeded quota: none" in step.what
    assert "raise the ResourceQuota" in step.to_do


async def _until_counted(api: KubernetesAPI, namespace: Namespace) -> None:
    """Until its controller has seen a quota, the API server says only that it does not know."""

    def counted() -> bool:
        found = api.get("v1", "ResourceQuota", "none", namespace.name)
        return bool((found.get("status") or {}).get("hard"))

    await asyncio.to_thread(api.wait, "the quota's status", counted)


async def test_a_namespace_that_refuses_every_pod_is_told(
    config: Config, api: KubernetesAPI, namespace: Namespace
) -> None:
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    api.patch("v1", "Namespace", namespace.name, label)
    step = await tried(config)
    assert step.result == "failed"
    assert 'violates PodSecurity "restricted' in step.what
    assert "patch" in step.to_do


async def test_a_priority_class_that_does_not_exist_is_told(config: Config) -> None:
    config.MultiClusterKubeSpawner.patches = {"10": POD.format("priorityClassName: no-such-class")}
    step = await tried(config)
    assert step.result == "failed"
    assert "no PriorityClass with name no-such-class was found" in step.what


async def test_a_secret_that_does_not_exist_is_told(config: Config) -> None:
    pull = POD.format("imagePullSecrets: [{name: no-such-secret}]")
    config.MultiClusterKubeSpawner.patches = {"10": pull}
    step = await tried(config)
    assert step.result == "failed"
    assert "there is no Secret no-such-secret in namespace" in step.what


async def test_classes_are_seen_with_the_role_that_is_printed_for_it(
    config: Config, api: KubernetesAPI, namespace: Namespace
) -> None:
    config.MultiClusterKubeSpawner.resources = {"10-home": CLAIM}
    step = await tried(config)
    assert step.result == "ok"
    assert "may not see whether there is" in step.what
    account = {"kind": "ServiceAccount", "name": HUB_ACCOUNT, "namespace": HUB_NAMESPACE}
    readers = hub_role.class_readers(f"check-{namespace.name}", account)
    try:
        for manifest in readers:
            api.create(manifest)
        step = await _until_seen(config)
    finally:
        for manifest in readers:
            api.delete(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])
    assert step.result == "failed"
    assert step.what == "there is no StorageClass no-such-class"


async def _until_seen(config: Config) -> Step:
    """The API server learns of new rights from a watch of its own."""
    async with asyncio.timeout(30):
        while "may not see" in (step := await tried(config)).what:
            await asyncio.sleep(0.1)
    return step


@pytest.fixture
async def denying_webhook(api: KubernetesAPI, namespace: Namespace) -> AsyncIterator[None]:
    """An admission webhook on loopback that denies every Pod of the test's namespace."""

    async def deny(request: web.Request) -> web.Response:
        uid = (await request.json())["request"]["uid"]
        answer = {"uid": uid, "allowed": False, "status": {"message": "no Pods on Sundays"}}
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
        return web.json_response({**review, "response": answer})

    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    app = web.Application()
    app.router.add_post("/", deny)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    manifest = _webhook(f"deny-{namespace.name}", namespace.name, runner.addresses[0][1], ca)
    await asyncio.to_thread(api.create, manifest)
    try:
        yield
    finally:
        version, kind = manifest["apiVersion"], manifest["kind"]
        await asyncio.to_thread(api.delete, version, kind, manifest["metadata"]["name"])
        await runner.cleanup()


def _webhook(name: str, namespace: str, port: int, ca: trustme.CA) -> dict[str, Any]:
    bundle = base64.b64encode(ca.cert_pem.bytes()).decode()
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    hook = {
        "name": "sundays.example.org",
        "clientConfig": {"url": f"https://127.0.0.1:{port}/", "caBundle": bundle},
        "rules": [{**pods, "resources": ["pods"]}],
        "namespaceSelector": selector,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [hook],
    }


@pytest.mark.usefixtures("denying_webhook")
async def test_a_webhook_that_denies_is_told(config: Config) -> None:
    async with asyncio.timeout(30):
        while (
            step := await tried(config)
        ).result == "ok":  # the API server learns of it by a watch
            await asyncio.sleep(0.1)
    assert 'admission webhook "sundays.example.org" denied the request' in step.what
    assert "no Pods on Sundays" in step.what
    assert "the cluster's rule" in step.to_do
