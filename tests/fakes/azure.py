"""Azure on loopback: Entra's token endpoint, the Resource Manager, the metadata service."""

from __future__ import annotations

import base64
import time
from typing import Any

import yaml
from aiohttp import web

from tests.fakes.cloud import FakeCloud

SECRETS = ["CLIENTSECRETVALUE", "FEDERATEDTOKEN", "entra-token-of-arm", "entra-token-of-aks"]
AUTHORITIES = ("login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn")
MANAGERS = ("management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn")
TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "22222222-2222-3333-4444-555555555555"


class FakeAzure(FakeCloud):
    """Clusters by Resource Manager path (in small letters); forms that came to Entra."""

    def __init__(self) -> None:
        handlers = dict.fromkeys(AUTHORITIES, self._entra) | dict.fromkeys(MANAGERS, self._manager)
        super().__init__(handlers | {"127.0.0.1": self._metadata})
        self.forms: list[dict[str, Any]] = []
        self.kubeconfigs: dict[str, str] = {}
        self.properties: dict[str, Any] = {"powerState": {"code": "Running"}}
        self.entra_error = ""
        self.life = 3600
        self.aks_token = SECRETS[3]

    def add_cluster(self, path: str, kubeconfig: dict[str, Any]) -> None:
        self.kubeconfigs[path.lower()] = yaml.safe_dump(kubeconfig)

    def _token(self, scope: str) -> dict[str, Any]:
        kind = SECRETS[2] if "management" in scope else self.aks_token
        ends = int(time.time()) + self.life
        return {
            "access_token": kind,
            "token_type": "Bearer",
            "expires_in": self.life,
            "expires_on": ends,
        }

    async def _entra(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        self.forms.append(form)
        if self.entra_error:
            body = {"error": "invalid_client", "error_description": self.entra_error}
            return web.json_response(body, status=401)
        return web.json_response(self._token(str(form["scope"])))

    async def _metadata(self, request: web.Request) -> web.Response:
        if "resource" not in request.query:
            return web.json_response({}, status=400)  # the SDK only looks whether anybody is there
        self.forms.append(dict(request.query))
        if self.entra_error:
            body = {"error": "invalid_request", "error_description": self.entra_error}
            return web.json_response(body, status=400)
        assert request.headers["Metadata"] == "true"
        resource = request.query["resource"]
        return web.json_response(self._token(resource) | {"resource": resource})

    async def _manager(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {SECRETS[2]}"
        path, _, action = request.path.partition("/listClusterUserCredential")
        found = self.kubeconfigs.get(path.lower())
        if found is None:
            return azure_error(404, "ResourceNotFound", "The Resource was not found.")
        if request.method == "GET" and not action:
            return web.json_response({"properties": self.properties})
        value = base64.b64encode(found.encode()).decode()
        return web.json_response({"kubeconfigs": [{"name": "clusterUser", "value": value}]})


def azure_error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


def kubeconfig(server: str, ca: bytes, user: dict[str, Any]) -> dict[str, Any]:
    """What Azure answers for a cluster."""
    data = base64.b64encode(ca).decode()
    return {
        "current-context": "hub",
        "clusters": [
            {"name": "hub", "cluster": {"server": server, "certificate-authority-data": data}}
        ],
        "contexts": [{"name": "hub", "context": {"cluster": "hub", "user": "clusterUser"}}],
        "users": [{"name": "clusterUser", "user": user}],
    }


def entra_user(server_id: str) -> dict[str, Any]:
    """The kubelogin stanza that Azure writes."""
    arguments = ["get-token", "--environment", "AzurePublicCloud", "--server-id", server_id]
    arguments += ["--client-id", "80faf920-1908-4b52-b5ef-a8e7bedfc67a"]
    arguments += ["--tenant-id", TENANT, "--login", "devicecode"]
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "kubelogin",
            "args": arguments,
            "env": None,
        }
    }
