"""Google on loopback: token endpoints, IAM Credentials, metadata server, Container API."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.cloud import FakeCloud

SECRETS = ["ya29.first", "ya29.second", "REFRESHTOKEN", "SUBJECTTOKEN", "CLIENTSECRET"]
_KEY = rsa.generate_private_key(65537, 2048).private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


IMPERSONATE = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"


class FakeGoogle(FakeCloud):
    """Clusters by resource path; forms that came to the token endpoints."""

    def __init__(self) -> None:
        super().__init__(
            {
                "oauth2.googleapis.com": self._token,
                "sts.googleapis.com": self._token,
                "iamcredentials.googleapis.com": self._impersonate,
                "container.googleapis.com": self._container,
                "127.0.0.1": self._metadata,
            }
        )
        self.forms: list[dict[str, Any]] = []
        self.clusters: dict[str, dict[str, Any]] = {}

    def add_cluster(self, path: str, ca: bytes, host: str, **more: Any) -> None:
        self.clusters[path] = {
            "name": path.rpartition("/")[2],
            "status": "RUNNING",
            "endpoint": host,
            "masterAuth": {"clusterCaCertificate": base64.b64encode(ca).decode()},
        } | more

    async def _token(self, request: web.Request) -> web.Response:
        self.forms.append(dict(await request.post()))
        answer = {"access_token": SECRETS[0], "expires_in": 3600, "token_type": "Bearer"}
        answer["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
        return web.json_response(answer)

    async def _impersonate(self, request: web.Request) -> web.Response:
        self.forms.append(await request.json())
        assert request.headers["Authorization"] == f"Bearer {SECRETS[0]}"
        answer = {"accessToken": SECRETS[1], "expireTime": "2099-01-01T00:00:00Z"}
        return web.json_response(answer)

    async def _container(self, request: web.Request) -> web.Response:
        found = self.clusters.get(request.path.removeprefix("/v1/"))
        if found is None:
            return google_error(404, "NOT_FOUND", f"Not found: {request.path[4:]}.")
        return web.json_response(found)

    async def _metadata(self, request: web.Request) -> web.Response:
        headers = {"Metadata-Flavor": "Google"}
        assert request.headers["Metadata-Flavor"] == "Google"
        if request.path.endswith("/token"):
            answer = {"access_token": SECRETS[0], "expires_in": 3599, "token_type": "Bearer"}
            return web.json_response(answer, headers=headers)
        if request.path.endswith("/default/"):
            answer = {"email": "node@example.test", "scopes": [], "aliases": ["default"]}
            return web.json_response(answer, headers=headers)
        if request.path == "/":
            return web.Response(text="computeMetadata/", headers=headers)
        return web.Response(status=404, headers=headers)


def google_error(code: int, status: str, message: str) -> web.Response:
    body = {"error": {"code": code, "status": status, "message": message}}
    return web.json_response(body, status=code)


def write(path: Path, info: dict[str, Any]) -> str:
    """Write a credentials file."""
    path.write_text(json.dumps(info))
    return str(path)


def service_account() -> dict[str, Any]:
    return {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "k",
        "private_key": _KEY.decode(),
        "client_email": "hub@p.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }


def authorized_user() -> dict[str, Any]:
    return {
        "type": "authorized_user",
        "client_id": "c",
        "client_secret": SECRETS[4],
        "refresh_token": SECRETS[2],
        "quota_project_id": "payer",
    }


def external_account(subject_token_file: str, *, impersonate: bool = False) -> dict[str, Any]:
    url = f"{IMPERSONATE}/sa@p:generateAccessToken"
    pool = "projects/123/locations/global/workloadIdentityPools/a"
    info = {
        "type": "external_account",
        "audience": f"//iam.googleapis.com/{pool}/providers/b",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": {"file": subject_token_file},
    }
    return info | ({"service_account_impersonation_url": url} if impersonate else {})
