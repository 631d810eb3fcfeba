"""A small API server that judges rights and objects, and a check of the only cluster."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from traitlets.config import Config

from mcks.core.trying import cluster_check
from mcks.core.trying.report import Step
from mcks.core.trying.subjects import subjects
from tests.fakes.loopback import FakeAPIServer

TOKEN = "THESECRETOFTHEHUB"
CONTOUR = "/apis/networking.k8s.io/v1/ingressclasses/contour"
HUB = "system:serviceaccount:jhub:hub"


class Cluster(FakeAPIServer):
    """Answers reviews, too: everything is allowed but what is in ``denied``."""

    def __init__(self) -> None:
        super().__init__()
        self.reviews: list[dict[str, str]] = []
        self.judged: list[dict[str, Any]] = []
        """Objects that were sent to be judged, and not kept."""
        self.refused: dict[str, web.Response] = {}
        """Answers by kind of object."""
        self.denied: set[tuple[str, str]] = set()
        self.almighty = False
        self.done = asyncio.Event()
        """Set when the last review comes."""
        self.user = HUB
        self.tokens = {TOKEN}
        self.objects["/version"] = {"gitVersion": "v1.34.1"}

    async def _post(self, request: web.Request) -> web.Response:
        if request.path.endswith("selfsubjectreviews"):
            return web.json_response(
                {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": self.user}}}
            )
        if request.query.get("dryRun") == "All":
            sent = await request.json()
            self.judged.append(sent)
            return self.refused.get(sent["kind"]) or web.json_response(sent, status=201)
        asked = (await request.json())["spec"]["resourceAttributes"]
        self.reviews.append(asked)
        denied = (asked["verb"], asked["resource"]) in self.denied
        allowed = not denied
        if asked["verb"] == "*":
            self.done.set()
            allowed = self.almighty
        return web.json_response(
            {"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}
        )


def kubeconfig(path: Path, **servers: FakeAPIServer) -> str:
    """A context of each server's name, with the token."""
    clusters = [
        {"name": name, "cluster": {"server": server.url, "certificate-authority-data": _ca(server)}}
        for name, server in servers.items()
    ]
    contexts = [
        {"name": name, "context": {"cluster": name, "user": "hub", "namespace": "jhub"}}
        for name in servers
    ]
    users = [{"name": "hub", "user": {"token": TOKEN}}]
    path.write_text(yaml.safe_dump({"clusters": clusters, "contexts": contexts, "users": users}))
    return str(path)


def _ca(server: FakeAPIServer) -> str:
    return base64.b64encode(server.ca_data).decode()


async def checked(config: Config, *names: str, deadline: float = 90) -> dict[str, Step]:
    """The steps of the only cluster."""
    (report,) = await cluster_check.check(subjects(config, names), deadline=deadline)
    return {step.step: step for step in report.steps}
