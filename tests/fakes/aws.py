"""AWS on loopback, as far as logging in to EKS needs it: STS, EKS, instance and pod metadata.

The real botocore talks to it. Signatures are not checked here, only which key signed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from aiohttp import web

SECRETS = ["SECRETKEYOFTHEUSER", "SESSIONTOKENOFTHEROLE", "SECRETKEYOFTHEROLE", "WEBIDENTITYTOKEN"]


class FakeAWS:
    """Counts calls by name; clusters by name; errors by call."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[str] = []
        self.signed_with: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.clusters: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, Callable[[], web.Response]] = {}
        self.life = timedelta(hours=1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeAWS]:
        app = web.Application()
        app.router.add_post("/", self._sts)
        app.router.add_get("/clusters/{name}", self._eks)
        app.router.add_put("/latest/api/token", self._imds_token)
        app.router.add_get(
            r"/latest/meta-data/iam/security-credentials{_:\/?}{role:.*}", self._imds
        )
        app.router.add_get("/v1/credentials", self._pod_identity)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def add_cluster(self, name: str, ca: bytes, endpoint: str, **more: Any) -> None:
        data = base64.b64encode(ca).decode()
        self.clusters[name] = {
            "name": name,
            "arn": f"arn:aws:eks:eu-west-1:123456789012:cluster/{name}",
            "endpoint": endpoint + "/",
            "certificateAuthority": {"data": data},
            "status": "ACTIVE",
            "resourcesVpcConfig": {"endpointPublicAccess": True, "publicAccessCidrs": []},
        } | more

    def _note(self, call: str, request: web.Request) -> None:
        self.calls.append(call)
        found = re.search(r"Credential=([^/]+)/", request.headers.get("Authorization", ""))
        self.signed_with.append(found[1] if found else "")

    async def _sts(self, request: web.Request) -> web.Response:
        form = {k: str(v) for k, v in (await request.post()).items()}
        action = form["Action"]
        self.forms.append(form)
        self._note(action, request)
        if action in self.errors:
            return self.errors[action]()
        if action == "GetCallerIdentity":
            arn = "arn:aws:sts::123456789012:assumed-role/hub/mcks"
            body = f"<Arn>{arn}</Arn><UserId>U</UserId><Account>123456789012</Account>"
        else:
            ends = (datetime.now(UTC) + self.life).strftime("%Y-%m-%dT%H:%M:%SZ")
            body = (
                "<Credentials><AccessKeyId>ASIAROLE</AccessKeyId>"
                f"<SecretAccessKey>{SECRETS[2]}</SecretAccessKey>"
                f"<SessionToken>{SECRETS[1]}</SessionToken><Expiration>{ends}</Expiration>"
                "</Credentials>"
            )
        text = f"<{action}Response><{action}Result>{body}</{action}Result></{action}Response>"
        return web.Response(text=text, content_type="text/xml")

    async def _eks(self, request: web.Request) -> web.Response:
        self._note("DescribeCluster", request)
        if "DescribeCluster" in self.errors:
            return self.errors["DescribeCluster"]()
        name = unquote(request.match_info["name"])
        cluster = self.clusters.get(name)
        if cluster is None:
            message = f"No cluster found for name: {name}."
            return eks_error(404, "ResourceNotFoundException", message)()
        return web.json_response({"cluster": cluster})

    async def _imds_token(self, request: web.Request) -> web.Response:
        self._note("imds token", request)
        return web.Response(
            text="imds-token", headers={"x-aws-ec2-metadata-token-ttl-seconds": "60"}
        )

    async def _imds(self, request: web.Request) -> web.Response:
        self._note("imds", request)
        assert request.headers["x-aws-ec2-metadata-token"] == "imds-token", "IMDSv2"
        if not request.match_info["role"]:
            return web.Response(text="node-role")
        return web.json_response(self._role_keys("AccessKeyId", {"Code": "Success"}))

    async def _pod_identity(self, request: web.Request) -> web.Response:
        self._note("pod identity", request)
        assert request.headers["Authorization"] == SECRETS[3]
        return web.json_response(self._role_keys("AccessKeyId", {}))

    def _role_keys(self, key: str, more: dict[str, str]) -> dict[str, str]:
        ends = (datetime.now(UTC) + self.life).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            key: "ASIAROLE",
            "SecretAccessKey": SECRETS[2],
            "Token": SECRETS[1],
            "Expiration": ends,
        } | more


def eks_error(status: int, code: str, message: str) -> Callable[[], web.Response]:
    headers = {"x-amzn-ErrorType": code}
    return lambda: web.json_response({"message": message}, status=status, headers=headers)


def sts_error(status: int, code: str, message: str) -> Callable[[], web.Response]:
    text = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
        f"<Message>{message}</Message></Error></ErrorResponse>"
    )
    return lambda: web.Response(text=text, status=status, content_type="text/xml")
