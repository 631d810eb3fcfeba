"""One request to an API server, and a successful answer to it, as values.

How a request is sent (`mcks.core.api.transport`) does not belong here, nor whose objects are asked
for (`mcks.core.api.client`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mcks.core.api.no_answer import NotKubernetes
from mcks.core.api.status import Asked

_BEGINS = re.compile(rb'\s*\{\s*"(?:kind|apiVersion)"\s*:\s*"\w')


class Verb(NamedTuple):
    """A kind of request, by the name that metrics give it.

    *repeatable*: carrying it out twice does the same as once.
    """

    name: str
    method: str
    repeatable: bool = True
    content_type: str = "application/json"


GET = Verb("get", "GET")
LIST = Verb("list", "GET")
WATCH = Verb("watch", "GET")
LOGS = Verb("logs", "GET")
RAW = Verb("raw", "GET")
DISCOVER = Verb("discover", "GET")
REVIEW = Verb("review", "POST")
CREATE = Verb("create", "POST", repeatable=False)
CREATE_DRY_RUN = Verb("create", "POST")
REPLACE = Verb("replace", "PUT", repeatable=False)
DELETE = Verb("delete", "DELETE")
PATCHES = {
    "merge": Verb("patch", "PATCH", content_type="application/merge-patch+json"),
    "strategic": Verb(
        "patch", "PATCH", repeatable=False, content_type="application/strategic-merge-patch+json"
    ),
    "json": Verb("patch", "PATCH", repeatable=False, content_type="application/json-patch+json"),
}


class Request(NamedTuple):
    """One request. *target* is path and query as they stand on the wire. *even_if_unavailable*: it
    is sent while the cluster is left alone, too (`mcks.core.api.breaker`)."""

    verb: Verb
    target: str
    asked: Asked
    body: Any = None
    accept: str = "application/json"
    even_if_unavailable: bool = False

    def __repr__(self) -> str:
        path = self.target.partition("?")[0]
        return f"Request({self.verb.method} {path})"  # its body may hold a secret


class Answer(NamedTuple):
    """A successful answer (2xx) to what was *asked*."""

    asked: Asked
    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status} to {self.asked.action})"  # its body may hold a secret

    def check(self) -> Answer:
        """Give it back for who need not know what it says. Raises `NotKubernetes` as `json` does,
        if it does not begin as all objects do, whose kind or version comes first."""
        if not _BEGINS.match(self.body):
            self.json()
        return self

    def json(self) -> dict[str, Any]:
        """Parse the body: every JSON answer of Kubernetes has a kind. Raises `NotKubernetes`."""
        try:
            parsed = json.loads(self.body.decode())
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict) or not parsed.get("kind"):
            raise NotKubernetes(
                f"{self.asked}: HTTP status {self.status}, not in Kubernetes' words "
                "(from a proxy or load balancer?)"
            )
        return parsed
