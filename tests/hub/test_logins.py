"""Each backend logs in to a real API server that judges its tokens as its cloud does."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from traitlets.config import Config

from mcks import metrics
from mcks.core.api.watch import Reflector
from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.configure import configure
from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.clusters.pool import Pool
from mcks.core.commands.check_formats.output import as_json, table
from mcks.core.hub.sharing import fleet_of
from mcks.core.labels import KEY_LABEL
from mcks.core.objects import Ref, Selector
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.core.trying import cluster_check, hub_role
from mcks.core.trying.subjects import subjects
from mcks.errors import Unauthorized
from tests.cluster.api import APIAnswer, KubernetesAPI
from tests.cluster.local_set import LocalSet
from tests.fakes import cloud_logins
from tests.fakes.cloud_environment import clean_environment
from tests.fakes.cloud_logins import BACKENDS, USERS, Login, Place
from tests.fakes.loopback_only import loopback_only
from tests.hub.watched_servers import (
    all_of,
    change_some,
    counting_client,
    remove,
    server_pod,
    versions,
)

pytestmark = [pytest.mark.cluster, pytest.mark.alone]  # an API server has other flags here


@pytest.fixture(scope="module")
def place(local_clusters: LocalSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One restart of one API server, for all tests here."""
    folder = tmp_path_factory.mktemp("authenticators")
    cluster, namespace = local_clusters["a"], f"test-{secrets.token_hex(4)}"
    notebook = local_clusters.notebook_command(), local_clusters.notebook_patch()
    with cloud_logins.authenticators().running() as authenticators:
        try:
            local_clusters.prepare_namespace(namespace)
            local_clusters.write_hub_kubeconfig(folder / "hub.kubeconfig", namespace)
            cluster.restart_apiserver(authenticators.flags(folder))
            for name, user in USERS.items():
                subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
                for manifest in hub_role.role_and_binding(f"hub-{name}", namespace, subject):
                    cluster.api.apply(manifest)
            token = authenticators.entra_token("anybody")
            api = cluster.hub_api(token)  # the issuer's keys are fetched in the background
            cluster.api.wait("the API server knows the issuer", lambda: not refused(api))
            yield Place(cluster, namespace, authenticators, folder / "hub.kubeconfig", notebook)
        finally:
            local_clusters.restore()
            local_clusters.remove_namespace(namespace)


def refused(api: KubernetesAPI) -> bool:
    try:
        api.request("GET", "/api")
    except APIAnswer as answer:
        if answer.status != 401:
            raise
        return True
    return False


@pytest.fixture(autouse=True)
def _only_loopback(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    clean_environment(monkeypatch, tmp_path)
    with loopback_only():
        yield


@pytest.fixture(params=list(BACKENDS))
async def login(
    request: pytest.FixtureRequest,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> AsyncIterator[Login]:
    async with BACKENDS[request.param](place, monkeypatch, tmp_path) as found:
        yield found


@asynccontextmanager
async def a_hub(place: Place) -> AsyncIterator[str]:
    """What a starting server asks of the hub: its version. Yields the URL for pods."""

    async def answer(_: web.Request) -> web.Response:
        headers = {"X-JupyterHub-Version": "6.1.1"}
        return web.json_response({"version": "6.1.1"}, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, place.cluster.bridge_ip, 0).start()
    try:
        yield f"http://{place.cluster.bridge_ip}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def config_of(place: Place, login: Login, hub_url: str = "http://192.0.2.1") -> Config:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {
        "it": {
            "namespace": place.namespace,
            "ingress_public_url": place.cluster.gateway_url,
            "hub_connect_url": hub_url,
            **login.settings,
        }
    }
    return config


def config_of_servers(place: Place, login: Login, hub_url: str) -> Config:
    config = config_of(place, login, hub_url)
    config.MultiClusterKubeSpawner.cmd, patch = place.notebook
    config.MultiClusterKubeSpawner.patches = {"notebook": patch}
    config.MultiClusterKubeSpawner.start_timeout = 120
    return config


@asynccontextmanager
async def connected(config: Config) -> AsyncIterator[ConnectedCluster]:
    pool = Pool(config, logging.getLogger("mcks.test"))
    try:
        yield await pool.connect("it", config.MultiClusterKubeSpawner.clusters)
    finally:
        await pool.close()


@asynccontextmanager
async def started(spawner: MultiClusterKubeSpawner) -> AsyncIterator[str]:
    try:
        yield await spawner.start()
    finally:
        await spawner.stop()


@pytest.mark.slow
async def test_a_server_starts_through_each_backend_and_no_secret_is_left_anywhere(
    login: Login,
    place: Place,
    caplog: pytest.LogCaptureFixture,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    async with a_hub(place) as hub_url:
        config = config_of_servers(place, login, hub_url)
        spawner = sample_spawner(config, "ada")
        admin = place.cluster.admin()
        async with connected(config) as connection:
            assert await connection.client.whoami() == login.user
            async with started(spawner) as url:
                assert url == place.cluster.gateway_url
                assert await spawner.poll() is None
                pod = await admin.get("v1", "Pod", "jupyter-ada", place.namespace)
                assert pod["status"]["phase"] == "Running"
                token = (await connection.backend.credentials.get()).token or ""
                state = json.dumps(spawner.get_state())
                command_lines = Path("/proc/self/cmdline").read_text()
            assert await admin.find("v1", "Pod", "jupyter-ada", place.namespace) is None
    shown = caplog.text + state + command_lines
    assert not [secret for secret in [token, *login.secrets] if secret and secret in shown]
    assert not [path for path in temporary.rglob("*") if path.is_file()]


async def test_the_check_finds_all_steps_well(login: Login, place: Place) -> None:
    reports = await cluster_check.check(subjects(config_of(place, login)))
    (report,) = reports
    assert [step.result for step in report.steps] == ["ok"] * 6, table(reports)
    assert report.steps[2].what.endswith(f"which knows the hub as {login.user}")
    shown = table(reports) + as_json([], reports)
    assert not [secret for secret in login.secrets if secret in shown]


async def test_a_token_that_is_revoked_is_replaced_once_and_the_request_repeated(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pods = Selector("v1", "Pod", place.namespace)
    async with (
        cloud_logins.doks(place, monkeypatch, tmp_path) as login,
        connected(config_of(place, login)) as connection,
    ):
        reflector = connection.pods_of(place.namespace)
        await asyncio.wait_for(reflector.synced.wait(), 30)
        assert login.cloud.made == 1
        token = f"k8s-secret-{login.cloud.made}"
        place.authenticators.revoked.add(token)
        api = place.cluster.hub_api(token)
        # the API server believes its own memory for ten seconds
        await asyncio.to_thread(place.cluster.api.wait, "it is refused", lambda: refused(api))
        before = connection.client.requests
        await connection.client.list(pods)
        assert (connection.client.requests - before, login.cloud.made) == (2, 2)
        await connection.client.list(pods)
        assert (connection.client.requests - before, login.cloud.made) == (3, 2)
        assert reflector.synced.is_set()
    place.authenticators.revoked.clear()


@pytest.mark.slow
async def test_a_running_server_does_not_notice_that_the_hubs_eks_token_is_revoked(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    admin, mints = place.cluster.admin(), metrics.MINTS.labels("it", "ok")._value
    async with (
        cloud_logins.eks(place, monkeypatch, tmp_path) as login,
        a_hub(place) as hub_url,
    ):
        spawner = sample_spawner(config_of_servers(place, login, hub_url), "grace")
        connection = await fleet_of(spawner).pool.connect("it", spawner.clusters)
        async with started(spawner):
            credential, before = await connection.backend.credentials.get(), mints.get()
            place.authenticators.revoked.add(credential.token or "")
            api = place.cluster.hub_api(credential.token or "")
            await asyncio.to_thread(place.cluster.api.wait, "it is refused", lambda: refused(api))
            assert await spawner.poll() is None
            pod = await admin.get("v1", "Pod", "jupyter-grace", place.namespace)
            assert pod["status"]["phase"] == "Running"
        assert await admin.find("v1", "Pod", "jupyter-grace", place.namespace) is None
        assert await connection.backend.credentials.get() is not credential
        assert mints.get() == before + 1
    place.authenticators.revoked.clear()


async def test_an_eks_token_for_another_cluster_is_refused_with_the_identity_in_the_text(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with cloud_logins.eks(place, monkeypatch, tmp_path) as login:
        login.cloud.add_cluster("another", place.ca, place.cluster.api_url)
        login.settings["cluster"] = "another"
        async with connected(config_of(place, login)) as connection:
            with pytest.raises(Unauthorized, match=r"EKS does not know arn:aws:sts::\d+:assumed"):
                await connection.client.whoami()
    assert "another cluster" in place.authenticators.refusals[-1]


@pytest.mark.parametrize(
    "claims", [{"aud": "another"}, {"exp": 1_700_000_000}, {"tid": "another"}], ids=str
)
async def test_an_entra_token_for_somebody_else_is_refused(
    claims: dict[str, Any], place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with cloud_logins.aks(place, monkeypatch, tmp_path) as login:
        login.cloud.claims = claims
        async with connected(config_of(place, login)) as connection:
            with pytest.raises(Unauthorized, match="Entra tenant"):
                await connection.client.whoami()


async def test_the_stanza_that_awss_program_writes_logs_in_without_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with cloud_logins.eks(place, monkeypatch, tmp_path) as login:
        arguments = ["--region", "eu-west-1", "eks", "get-token", "--output", "json"]
        stanza = {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "aws",
            "args": [*arguments, "--cluster-name", cloud_logins.EKS_CLUSTER],
        }
        monkeypatch.setenv("KUBECONFIG", write_kubeconfig(place, tmp_path, stanza))
        login.settings = {"context": "it"}
        async with connected(config_of(place, login)) as connection:
            assert await connection.client.whoami() == login.user


def write_kubeconfig(place: Place, folder: Path, stanza: dict[str, Any]) -> str:
    authority = str(place.cluster.directory / "pki" / "ca.crt")
    server = {"server": place.cluster.api_url, "certificate-authority": authority}
    content = {
        "current-context": "it",
        "clusters": [{"name": "c", "cluster": server}],
        "contexts": [{"name": "it", "context": {"cluster": "c", "user": "hub"}}],
        "users": [{"name": "hub", "user": {"exec": stanza}}],
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(content))
    return str(folder / "kubeconfig")


async def test_kubectl_logs_in_with_mcks_as_its_plugin(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config_file = tmp_path / "jupyterhub_config.py"
    async with cloud_logins.eks(place, monkeypatch, tmp_path) as login:
        clusters = {"it": login.settings}
        config_file.write_text(f"c.MultiClusterKubeSpawner.clusters = {clusters}\n")
        plugin = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(Path(sys.executable).parent / "mcks"),
            "args": ["token", "it", "-f", str(config_file)],
            "interactiveMode": "Never",
        }
        kubeconfig = write_kubeconfig(place, tmp_path, plugin)
        kubectl = place.cluster.binaries.kubernetes / "kubectl"
        process = await asyncio.create_subprocess_exec(
            *(kubectl, "--kubeconfig", kubeconfig, "auth", "whoami", "--output=json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert json.loads(out)["status"]["userInfo"]["username"] == login.user


@pytest.mark.slow
async def test_a_token_that_ends_while_1000_servers_are_watched_costs_one_mint_and_loses_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    admin, namespace = place.cluster.admin(), place.namespace
    log = logging.getLogger("mcks.test")
    async with cloud_logins.doks(place, monkeypatch, tmp_path) as login:
        config = config_of(place, login)
        configured = configure("it", config.MultiClusterKubeSpawner.clusters, config, log)
        client = await counting_client(configured)
        await all_of(client.create(server_pod(f"s{n}", namespace)) for n in range(1000))
        pods = Reflector(client, Selector("v1", "Pod", namespace, KEY_LABEL), log=log)
        pods.start()
        try:
            await asyncio.wait_for(pods.synced.wait(), 30)
            assert (len(pods.values()), client.lists, login.cloud.made) == (1000, 1, 1)
            place.authenticators.revoked.add("k8s-secret-1")
            batches = iter(range(100))
            while login.cloud.made == 1:  # until a watch is opened that the API server refuses
                await asyncio.wait_for(client.turned.wait(), 30)
                client.turned.clear()
                await change_some(admin, namespace, next(batches))
            await change_some(admin, namespace, next(batches))
            await admin.create(server_pod("last", namespace))
            last = Ref("v1", "Pod", "last", namespace)
            await asyncio.wait_for(pods.wait_for(last, lambda pod: pod), 30)
            there = await admin.list("v1", "Pod", namespace)
            assert versions(pods.values()) == versions(there)
            assert len(there) == 1001
            assert "s0" not in versions(there)
            assert (client.lists, login.cloud.made) == (1, 2)
            assert client.watches > 1
            assert place.authenticators.refusals[-1] == "revoked"
        finally:
            await pods.stop()
            await remove(client, versions(pods.values()), namespace)
            await client.close()
            await configured.backend.close()
            place.authenticators.revoked.clear()
