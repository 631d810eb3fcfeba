"""A server is started for a moment on a real cluster: it tells what it reaches; nothing stays."""

from __future__ import annotations

import asyncio
import datetime
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from traitlets.config import Config

from mcks.core.labels import KEY_LABEL
from mcks.core.trying import cluster_check, trial
from mcks.core.trying.report import START, Step
from mcks.core.trying.subjects import subjects
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace
from tests.cluster.local_set import LocalSet
from tests.core.trying.gateways import gateway
from tests.demo.forward import forwarded
from tests.hub.servers import no_open_transport, until

pytestmark = pytest.mark.cluster

KINDS = [
    ("v1", "Pod"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
    ("networking.k8s.io/v1", "Ingress"),
]
HOME = """
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      name: {{key}}-home
      annotations: {mcks.hub.jupyter.org/lifetime: user}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 1Gi}}
"""


@pytest.fixture
async def hub_url(local_clusters: LocalSet) -> AsyncIterator[str]:
    """As much of a hub as its Pods ask for, where they reach it."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"version": "6.1.1"})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with forwarded(local_clusters["a"].bridge_ip, runner.addresses[0][1]) as url:
        yield url
    await runner.cleanup()


@pytest.fixture
def config(
    clusters: Clusters, namespace: Namespace, monkeypatch: pytest.MonkeyPatch, hub_url: str
) -> Config:
    monkeypatch.setenv("KUBECONFIG", str(namespace.kubeconfig))
    cluster, config = clusters["a"], Config()
    config.JupyterHub.base_url = f"/{namespace.name}/"
    config.JupyterHub.public_url = f"https://hub.example.org/{namespace.name}/"
    section = config.MultiClusterKubeSpawner
    section.clusters = {
        "a": {
            "context": cluster.context,
            "ingress_public_url": cluster.gateway_url,
            "hub_connect_url": hub_url,
        }
    }
    section.patches = {"10-notebook": clusters.notebook_patch()}
    return config


async def tried(config: Config) -> dict[str, Step]:
    said: list[str] = []
    steps = await trial.tried(config, "a", say=said.append)
    await until(no_open_transport)
    assert said
    return {step.step: step for step in steps}


@pytest.fixture
def nothing_left(api: KubernetesAPI, namespace: Namespace) -> Iterator[None]:
    yield
    for version, kind in KINDS:
        found = [
            item["metadata"]["name"]
            for item in api.list(version, kind, namespace.name)
            if KEY_LABEL in (item["metadata"].get("labels") or {})
        ]
        for name in found:  # what its owner takes with it
            api.wait_gone(version, kind, name, namespace.name)


@pytest.mark.usefixtures("nothing_left")
async def test_a_healthy_cluster_passes_all_steps_and_keeps_nothing(config: Config) -> None:
    config.MultiClusterKubeSpawner.resources = {"05-home": HOME}
    steps = await tried(config)
    assert list(steps) == list(START)
    assert {step.result for step in steps.values()} == {"ok"}, steps
    assert "JupyterHub 6.1.1 at" in steps["hub"].what
    assert "hub.example.org" in steps["host"].what
    assert steps["end"].what == "all is taken out again"


@pytest.mark.usefixtures("nothing_left")
async def test_a_hub_that_pods_cannot_reach_is_told(
    config: Config, local_clusters: LocalSet
) -> None:
    entry = config.MultiClusterKubeSpawner.clusters["a"]
    entry["hub_connect_url"] = f"http://{local_clusters['a'].bridge_ip}:1"
    steps = await tried(config)
    assert steps["hub"].result == "failed"
    assert "from the Pod: " in steps["hub"].what
    assert "let Pods of this cluster reach the hub" in steps["hub"].to_do
    assert steps["websocket"].result == "ok"  # the rest is looked at all the same


@pytest.mark.usefixtures("nothing_left")
async def test_a_hub_address_where_nothing_answers_is_told(
    config: Config, local_clusters: LocalSet
) -> None:
    nobody = f"{local_clusters['a'].bridge_ip.rpartition('.')[0]}.253"
    config.MultiClusterKubeSpawner.clusters["a"]["hub_connect_url"] = f"http://{nobody}:8081"
    step = (await tried(config))["hub"]
    assert step.result == "failed"
    assert "let Pods of this cluster reach the hub" in step.to_do


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("certificate", "words"),
    [(("gateway.example.org", 90), "Hostname mismatch"), (("localhost", -1), "has expired")],
)
async def test_a_certificate_of_the_gateway_that_is_not_good_is_told_by_both(
    config: Config,
    local_clusters: LocalSet,
    monkeypatch: pytest.MonkeyPatch,
    certificate: tuple[str, int],
    words: str,
) -> None:
    name, days = certificate
    monkeypatch.setattr(trial, "_ROUTE", 3.0)
    ca, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    ca.issue_cert(name, not_after=ends).configure_cert(tls)
    original = ssl.create_default_context

    def trusting(*_: Any, **__: Any) -> ssl.SSLContext:
        context = original()
        ca.configure_trust(context)
        return context

    monkeypatch.setattr(ssl, "create_default_context", trusting)
    async with gateway(local_clusters["a"].gateway_url, tls=tls) as url:
        config.MultiClusterKubeSpawner.clusters["a"]["ingress_public_url"] = url
        [report] = await cluster_check.check(subjects(config))
        answer = (await tried(config))["answer"]
    assert words in report.steps[-1].what
    assert answer.result == "failed"
    assert "Certificate" in answer.what


@pytest.mark.usefixtures("nothing_left")
async def test_a_gateway_that_takes_no_websockets_is_told(
    config: Config, local_clusters: LocalSet
) -> None:
    async with gateway(local_clusters["a"].gateway_url, no_websockets=True) as url:
        config.MultiClusterKubeSpawner.clusters["a"]["ingress_public_url"] = url
        steps = await tried(config)
    assert steps["websocket"].result == "failed"
    assert "no kernel works without them" in steps["websocket"].to_do
    assert (steps["path"].result, steps["body"].result) == ("ok", "ok")


@pytest.mark.usefixtures("nothing_left")
async def test_a_route_that_leads_nowhere_is_told(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_ROUTE", 2.0)
    config.MultiClusterKubeSpawner.clusters["a"]["route"] = "none"
    steps = await tried(config)
    assert list(steps) == ["start", "hub", "answer", "end"]
    assert (steps["start"].result, steps["hub"].result) == ("ok", "ok")
    assert steps["answer"].result == "failed"
    assert "HTTP 404" in steps["answer"].what


@pytest.mark.usefixtures("nothing_left")
async def test_an_image_without_python_is_told(config: Config) -> None:
    patch = """
        kind: Pod
        metadata: {name: "{{key}}"}
        spec: {containers: [{name: notebook, env: [{name: PATH, value: /nowhere}]}]}
    """
    config.MultiClusterKubeSpawner.patches["20-path"] = patch
    steps = await tried(config)
    assert list(steps) == ["start", "end"]
    assert steps["start"].result == "failed"
    assert "--image" in steps["start"].to_do


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
async def test_a_command_that_is_ended_takes_its_server_out_first(
    config: Config, api: KubernetesAPI, namespace: Namespace, tmp_path: Path, how: signal.Signals
) -> None:
    config.MultiClusterKubeSpawner.patches["20-waits"] = """
        kind: Pod
        metadata: {name: "{{key}}"}
        spec: {schedulingGates: [{name: example.org/for-ever}]}
    """
    lines = [
        f"c.{section}.{name} = {value!r}"
        for section, values in config.items()
        for name, value in values.items()
    ]
    (tmp_path / "config.py").write_text("\n".join(["c = get_config()", *lines]))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from mcks.core.cli import main; raise SystemExit(main())"),
        *("check", "--start", "a", "-f", str(tmp_path / "config.py")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

    async def there() -> list[Any]:
        return await asyncio.to_thread(api.list, "v1", "Pod", namespace.name)

    await until(there)
    process.send_signal(how)
    _, told = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 128 + how
    assert b"Traceback" not in told, told
    assert [pod for pod in await there() if not pod["metadata"].get("deletionTimestamp")] == []
