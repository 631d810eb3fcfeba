"""The DigitalOcean API on loopback."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.fakes.cloud import FakeCloud

API_TOKEN = "dop_v1_secret"
HOST = "api.digitalocean.com"
_CLUSTERS = "/v2/kubernetes/clusters"


class FakeDigitalOcean(FakeCloud):
    """Clusters by id; makes tokens k1, k2 ... for them."""

    def __init__(self) -> None:
        super().__init__({HOST: self._api})
        self.clusters: dict[str, dict[str, Any]] = {}
        self.credentials: dict[str, dict[str, Any]] = {}
        self.api_tokens = {API_TOKEN}
        self.made = 0

    def add_cluster(self, identity: str, name: str, ca: bytes, server: str) -> None:
        self.clusters[identity] = {"id": identity, "name": name, "status": {"state": "running"}}
        self.credentials[identity] = {
            "server": server,
            "certificate_authority_data": base64.b64encode(ca).decode(),
            "client_certificate_data": None,
            "client_key_data": None,
        }

    async def _api(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"].removeprefix("Bearer ") not in self.api_tokens:
            return do_error(401, "unauthorized", "Unable to authenticate you")
        if request.path == _CLUSTERS:
            return self._list(request)
        identity, _, action = request.path.removeprefix(f"{_CLUSTERS}/").partition("/")
        if identity not in self.clusters:
            return do_error(404, "not_found", "The resource you requested could not be found.")
        if not action:
            return web.json_response({"kubernetes_cluster": self.clusters[identity]})
        if (self.clusters[identity].get("sso") or {}).get("required"):
            return do_error(403, "forbidden", "token authentication is disabled")
        self.made += 1
        ends = datetime.now(UTC) + timedelta(seconds=int(request.query["expiry_seconds"]))
        answer = {"token": f"k8s-secret-{self.made}", "expires_at": ends.strftime(_NANOSECONDS)}
        return web.json_response(answer | self.credentials[identity])

    def _list(self, request: web.Request) -> web.Response:
        page, size = int(request.query["page"]), 2
        found = list(self.clusters.values())
        answer: dict[str, Any] = {"kubernetes_clusters": found[(page - 1) * size : page * size]}
        answer["links"] = {"pages": {"next": "x"}} if page * size < len(found) else {}
        return web.json_response(answer)


_NANOSECONDS = "%Y-%m-%dT%H:%M:%S.123456789Z"


def do_error(status: int, identity: str, message: str) -> web.Response:
    body = {"id": identity, "message": message, "request_id": "r"}
    return web.json_response(body, status=status)
