"""A hub in a Pod of the local cluster ``a``, with its ServiceAccount and what that may do.

The Pod has the notebook's image and mounts of this machine what this test runs with: Python,
JupyterHub, mcks and the proxy. What a hub does there is told by the tests.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from jupyterhub._data import DATA_FILES_PATH
from yarl import URL

from mcks.core.trying import hub_role
from tests.cluster import access, images, kubeconfig, notebook
from tests.cluster.cluster import LocalCluster
from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.cluster.proxy import proxy_command
from tests.demo.forward import forwarded

HUB_PORT, PUBLIC_PORT = 8081, 8000
_HOME = "/srv/jupyterhub"
_SETTINGS = "/etc/jupyterhub"
_CHECKOUT = Path(__file__).parents[2]
_SCOPES = ["admin:users", "admin:servers", "list:users", "access:servers", "proxy", "shutdown"]
Object = dict[str, Any]

CONFIGURATION = """
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.bind_url = {public!r}
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_url = "http://hub:{hub_port}"
c.JupyterHub.cleanup_servers = False
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.services = [{{"name": "operator", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{
        "name": "operator",
        "services": ["operator"],
        "scopes": {scopes!r},
    }}
]

c.JupyterHub.spawner_class = "mcks"
c.MultiClusterKubeSpawner.clusters = {{"here": {{}}, "there": {there!r}}}
c.MultiClusterKubeSpawner.profile_list = [
    {{"display_name": name, "cluster": name} } for name in ("here", "there")
]
c.MultiClusterKubeSpawner.cmd = {command!r}
c.MultiClusterKubeSpawner.patches = {patches!r}
""".replace("} }", "}}")
HEADLESS = """
    kind: Service
    metadata: {name: "{{key}}"}
    spec: {clusterIP: "None"}
"""
"""There is no kube-proxy here: only the name of such a Service leads to its Pod."""
WITH_DNS = """
    kind: Pod
    metadata: {name: "{{key}}"}
    spec: {dnsPolicy: ClusterFirst}
"""


@dataclass
class PodHub:
    """The hub as a browser on this machine finds it; *token* is an operator's, *gateway_url* what
    leads the hub to the servers of ``b``."""

    cluster: LocalCluster
    namespace: str
    url: str
    token: str
    gateway_url: str

    async def request(self, method: str, path: str, **kwargs: Any) -> tuple[int, Any]:
        """Ask the hub's API as an operator; return status and JSON."""
        headers = {"Authorization": f"token {self.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{self.url}hub/api/{path}", **kwargs) as response,
        ):
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def log(self) -> str:
        """What the hub and its proxy said since the last restart."""
        return await asyncio.to_thread(self.cluster.api.logs, "hub", self.namespace)


@asynccontextmanager
async def hub_in_a_pod(
    clusters: LocalSet, namespace: Namespace, configuration: str = CONFIGURATION
) -> AsyncIterator[PodHub]:
    """Run the hub in *namespace* of ``a``, where its servers live, too; those of ``b`` are reached
    through that cluster's gateway. *configuration* has the fields of CONFIGURATION."""
    here, there = clusters["a"], clusters["b"]
    token = secrets.token_hex(16)
    await asyncio.to_thread(_give_identity, here, namespace.name)
    await here.admin().create(_service(), namespace.name)
    # where servers of b find the hub is known before the hub is
    reached: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with (
        forwarded(there.bridge_ip, HUB_PORT, reached) as hub_url,
        forwarded(there.bridge_ip, there.state.ports["gateway"]) as gateway_url,
    ):
        entry = {"hub_connect_url": hub_url, "ingress_public_url": gateway_url}
        settings = _settings(configuration, there, namespace, token, entry)
        await here.admin().create(_secret(settings), namespace.name)
        await here.admin().create(_pod(namespace.name), namespace.name)
        pod = await here.admin().wait_pod_ready("hub", namespace.name)
        address = pod["status"]["podIP"]
        reached.set_result(address)
        url = f"http://{address}:{PUBLIC_PORT}/{namespace.name}/"
        hub = PodHub(here, namespace.name, url, token, gateway_url)
        try:
            yield hub
        except (Exception, asyncio.CancelledError) as error:
            error.add_note("\n".join(_telling(await hub.log())))
            raise


def _telling(log: str) -> list[str]:
    """The last lines of *log* that tell more than that something was asked for and found."""
    return [line for line in log.splitlines() if "] 200 GET " not in line][-100:]


async def log_in(session: aiohttp.ClientSession, hub: PodHub, user: str) -> None:
    """Log in as a browser does."""
    url = f"{hub.url}hub/login"
    async with session.get(url) as page:
        assert page.status == 200, await hub.log()
    xsrf = session.cookie_jar.filter_cookies(URL(url))["_xsrf"].value
    form = {"username": user, "password": "x", "_xsrf": xsrf}
    async with session.post(url, params={"_xsrf": xsrf}, data=form) as response:
        assert response.url.path != URL(url).path, await response.text()


def _settings(
    configuration: str,
    there: LocalCluster,
    namespace: Namespace,
    token: str,
    entry: dict[str, str],
) -> Object:
    """The files of the hub: its configuration, and a kubeconfig for the other cluster."""
    context = there.context_for({"token": access.token(there.api)}, namespace.name)
    server = f"https://{there.bridge_ip}:{there.state.ports['apiserver']}"
    entry |= {"kubeconfig": f"{_SETTINGS}/there.kubeconfig", "context": context.name}
    text = configuration.format(
        public=f"http://:{PUBLIC_PORT}/{namespace.name}/",
        hub_port=HUB_PORT,
        proxy=proxy_command(),
        token=token,
        scopes=_SCOPES,
        there=entry,
        command=notebook.command(),
        patches={"10-notebook": notebook.patch(), "20-dns": WITH_DNS, "30-headless": HEADLESS},
    )
    rendered = kubeconfig.render([replace(context, server=server)])
    return {"jupyterhub_config.py": text, "there.kubeconfig": json.dumps(rendered)}


def _give_identity(cluster: LocalCluster, namespace: str) -> None:
    """Make the ServiceAccount, and let it do what ``mcks rbac here`` says, which has no gateway."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "hub"}}
    cluster.api.create(account, namespace)
    subject = {"kind": "ServiceAccount", "name": "hub", "namespace": namespace}
    needs = hub_role.Needs(ingresses=False)
    for granted in hub_role.role_and_binding("mcks-hub", namespace, subject, needs):
        cluster.api.create(granted, namespace)


def _service() -> Object:
    """Known before the Pod is ready: the hub's own proxy asks for it by then."""
    ports = [{"port": HUB_PORT}]
    spec = {"clusterIP": "None", "selector": {"app": "hub"}, "ports": ports}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "hub"},
        "spec": {**spec, "publishNotReadyAddresses": True},
    }


def _secret(files: Object) -> Object:
    meta = {"name": "hub"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": files}


def _pod(namespace: str) -> Object:
    """A Pod that runs the hub and its proxy with the Python of this process."""
    pod: Object = yaml.safe_load(notebook.patch().replace("{{key}}", "hub"))
    container = pod["spec"]["containers"][0]
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    for number, path in enumerate(_directories(mounted)):
        name = f"machine-{number}"
        pod["spec"]["volumes"].append({"name": name, "hostPath": {"path": path}})
        mount = {"name": name, "mountPath": path, "readOnly": True}
        container["volumeMounts"].append(mount)
    pod["spec"]["volumes"] += [
        {"name": "settings", "secret": {"secretName": "hub"}},
        {"name": "state", "emptyDir": {}},
    ]
    container["volumeMounts"] += [
        {"name": "settings", "mountPath": _SETTINGS, "readOnly": True},
        {"name": "state", "mountPath": _HOME},
    ]
    probe = {"httpGet": {"path": f"/{namespace}/hub/health", "port": PUBLIC_PORT}}
    container |= {
        "name": "hub",
        "command": [sys.executable, "-m", "jupyterhub"],
        "args": ["-f", f"{_SETTINGS}/jupyterhub_config.py"],
        "workingDir": _HOME,
        "readinessProbe": {**probe, "periodSeconds": 1, "timeoutSeconds": 5},
    }
    container["env"] = [
        {"name": "HOME", "value": _HOME},
        {"name": "PYTHONPATH", "value": str(_CHECKOUT)},
        *container["env"][1:],
    ]
    pod["spec"] |= {"serviceAccountName": "hub", "dnsPolicy": "ClusterFirst"}
    return pod | {
        "apiVersion": "v1",
        "metadata": {"name": "hub", "labels": {"app": "hub"}},
    }


def _directories(mounted: set[str]) -> list[str]:
    """What this process imports from, and the proxy's programs, but for what is mounted already."""
    node, proxy = (Path(word) for word in proxy_command())
    wanted = [Path(sys.prefix), *map(Path, sys.path), Path(DATA_FILES_PATH), _CHECKOUT]
    wanted += [node.resolve().parent, proxy.parents[2]]
    found: list[str] = []
    for path in sorted({path.absolute() for path in wanted if path.is_dir()}):
        inside = any(path.is_relative_to(place) for place in (*mounted - {images.HOME}, *found))
        if not inside:
            found.append(str(path))
    return found
