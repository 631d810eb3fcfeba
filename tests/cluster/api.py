"""A small client of one Kubernetes API server for the tests and for bringing a cluster up.

It uses nothing of mcks, so that a fault there cannot hide itself here. Objects are plain dicts.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

Object = dict[str, Any]
Selector = Mapping[str, str]
_DELETE_ALL_SECONDS = 60.0


class APIAnswer(Exception):
    """The API server answered with an error: its HTTP status, its reason and its message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason


class KubernetesAPI:
    """Blocking calls; each uses a connection of its own, so threads may share one object.

    ``namespace`` None means the cluster-scoped resource, or all namespaces for lists. Errors of
    the connection are OSError or http.client.HTTPException; answers with an error are APIAnswer.
    """

    def __init__(self, server: str, tls: ssl.SSLContext, token: str | None = None) -> None:
        self.server = server
        self.tls = tls
        self._token = token
        self._resources: dict[tuple[str, str], Object] = {}

    @classmethod
    def with_certificate(cls, server: str, pki: Path, user: str) -> KubernetesAPI:
        """Log in with ``pki/USER.crt``."""
        tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        tls.load_cert_chain(pki / f"{user}.crt", pki / f"{user}.key")
        return cls(server, tls)

    @classmethod
    def with_token(cls, server: str, authority: Path, token: str) -> KubernetesAPI:
        """Log in with a bearer token."""
        return cls(server, ssl.create_default_context(cafile=str(authority)), token)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        timeout: float = 10.0,
    ) -> Any:
        """The parsed answer (or its text, if it is not JSON). Raises APIAnswer from 400 on."""
        parts = urlsplit(self.server)
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=timeout, context=self.tls
        )
        headers = {"Accept": "application/json", "Content-Type": content_type}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        target = f"{path}?{urlencode(query)}" if query else path
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, target, body=data, headers=headers)
            response = connection.getresponse()
            return _parsed(response.status, response.read().decode())
        finally:
            connection.close()

    def ready(self) -> bool:
        """True when /readyz says ok."""
        try:
            self.request("GET", "/readyz", timeout=2.0)
        except (OSError, http.client.HTTPException, APIAnswer):
            return False
        return True

    def path(self, api_version: str, kind: str, namespace: str | None, name: str = "") -> str:
        """The path of an object, or of all objects of its kind."""
        resource = self._resource(api_version, kind)
        parts = ["/api" if "/" not in api_version else "/apis", api_version]
        if namespace and resource["namespaced"]:
            parts += ["namespaces", quote(namespace)]
        return "/".join([*parts, resource["name"], *([quote(name)] if name else [])])

    def _resource(self, api_version: str, kind: str) -> Object:
        if (api_version, kind) not in self._resources:
            root = "/api/" if "/" not in api_version else "/apis/"
            for found in self.request("GET", root + api_version)["resources"]:
                if "/" not in found["name"]:
                    self._resources[api_version, found["kind"]] = found
        try:
            return self._resources[api_version, kind]
        except KeyError:
            raise APIAnswer(404, "NotFound", f"no kind {kind} in {api_version}") from None

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        found: Object = self.request("GET", self.path(api_version, kind, namespace, name))
        return found

    def find(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> Object | None:
        """Like get, but None when it is not there."""
        try:
            return self.get(api_version, kind, name, namespace)
        except APIAnswer as error:
            if error.status == 404:
                return None
            raise

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        labels: Selector | None = None,
    ) -> list[Object]:
        """The items; they carry no apiVersion and kind of their own, as Kubernetes sends them."""
        selector = ",".join(f"{key}={value}" for key, value in (labels or {}).items())
        query = {"labelSelector": selector} if selector else None
        path = self.path(api_version, kind, namespace)
        items: list[Object] = self.request("GET", path, query=query)["items"]
        return items

    def create(self, manifest: Object, namespace: str | None = None) -> Object:
        path = self.path(manifest["apiVersion"], manifest["kind"], _place(manifest, namespace))
        created: Object = self.request("POST", path, manifest, query={"fieldValidation": "Strict"})
        return created

    def apply(self, manifest: Object, namespace: str | None = None) -> Object:
        """Server-side apply: create it, or bring what is there to this."""
        name = manifest["metadata"]["name"]
        place = _place(manifest, namespace)
        applied: Object = self.request(
            "PATCH",
            self.path(manifest["apiVersion"], manifest["kind"], place, name),
            manifest,
            query={"fieldManager": "local-clusters", "force": "true"},
            content_type="application/apply-patch+yaml",
        )
        return applied

    def patch(
        self, api_version: str, kind: str, name: str, change: Object, namespace: str | None = None
    ) -> Object:
        """A merge patch (RFC 7386)."""
        path = self.path(api_version, kind, namespace, name)
        content_type = "application/merge-patch+json"
        patched: Object = self.request("PATCH", path, change, content_type=content_type)
        return patched

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        grace: int | None = None,
    ) -> None:
        """Delete it and, in the background, what it owns. Already gone is fine."""
        options = {} if grace is None else {"gracePeriodSeconds": str(grace)}
        path = self.path(api_version, kind, namespace, name)
        try:
            query = {"propagationPolicy": "Background", **options}
            self.request("DELETE", path, query=query)
        except APIAnswer as error:
            if error.status != 404:
                raise

    def delete_all(
        self, api_version: str, kind: str, namespace: str, *, grace: int | None = None
    ) -> None:
        """Delete all objects of a kind in a namespace. A kind that is not known is fine."""
        options = {} if grace is None else {"gracePeriodSeconds": str(grace)}
        query = {"propagationPolicy": "Background", **options}
        try:
            path = self.path(api_version, kind, namespace)
            self.request("DELETE", path, query=query, timeout=_DELETE_ALL_SECONDS)
        except APIAnswer as error:
            if error.status != 404:
                raise

    def logs(self, pod: str, namespace: str) -> str:
        """What the pod's container printed so far."""
        return str(self.request("GET", f"{self.path('v1', 'Pod', namespace, pod)}/log"))

    def wait(
        self,
        what: str,
        condition: Callable[[], bool],
        seconds: float = 60.0,
    ) -> None:
        """Ask until ``condition()`` is true. Raises TimeoutError, naming ``what``."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {seconds:.0f} s")
            time.sleep(0.05)

    def wait_found(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        seconds: float = 60.0,
    ) -> None:
        """Return when the object is there."""
        self.wait(
            f"{kind} {name} is there",
            lambda: self.find(api_version, kind, name, namespace) is not None,
            seconds,
        )

    def wait_gone(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        seconds: float = 60.0,
    ) -> None:
        """Return when the object is not there any more."""
        self.wait(
            f"{kind} {name} is gone",
            lambda: self.find(api_version, kind, name, namespace) is None,
            seconds,
        )

    def wait_empty(
        self, api_version: str, kind: str, namespace: str, seconds: float = 60.0
    ) -> None:
        """Return when the namespace has no object of the kind (known or not)."""

        def empty() -> bool:
            try:
                return not self.list(api_version, kind, namespace)
            except APIAnswer as error:
                if error.status != 404:
                    raise
                return True

        self.wait(f"{namespace} has no {kind} any more", empty, seconds)

    def wait_pod_ready(self, name: str, namespace: str, seconds: float = 60.0) -> Object:
        """The pod, once it is Ready."""
        last: list[Object] = []

        def is_ready() -> bool:
            last[:] = [self.get("v1", "Pod", name, namespace)]
            return condition_of(last[0], "Ready")

        self.wait(f"pod {name} is Ready", is_ready, seconds)
        return last[0]


class AsyncKubernetesAPI:
    """The same calls for code in an event loop: ``await admin.get("v1", "Pod", ...)``."""

    def __init__(self, blocking: KubernetesAPI) -> None:
        self.blocking = blocking

    async def get(self, *arguments: Any, **options: Any) -> Object:
        return await asyncio.to_thread(self.blocking.get, *arguments, **options)

    async def find(self, *arguments: Any, **options: Any) -> Object | None:
        return await asyncio.to_thread(self.blocking.find, *arguments, **options)

    async def list(self, *arguments: Any, **options: Any) -> list[Object]:
        return await asyncio.to_thread(self.blocking.list, *arguments, **options)

    async def create(self, *arguments: Any, **options: Any) -> Object:
        return await asyncio.to_thread(self.blocking.create, *arguments, **options)

    async def apply(self, *arguments: Any, **options: Any) -> Object:
        return await asyncio.to_thread(self.blocking.apply, *arguments, **options)

    async def patch(self, *arguments: Any, **options: Any) -> Object:
        return await asyncio.to_thread(self.blocking.patch, *arguments, **options)

    async def delete(self, *arguments: Any, **options: Any) -> None:
        await asyncio.to_thread(self.blocking.delete, *arguments, **options)

    async def logs(self, *arguments: Any, **options: Any) -> str:
        return await asyncio.to_thread(self.blocking.logs, *arguments, **options)

    async def wait_gone(self, *arguments: Any, **options: Any) -> None:
        await asyncio.to_thread(self.blocking.wait_gone, *arguments, **options)

    async def wait_pod_ready(self, *arguments: Any, **options: Any) -> Object:
        return await asyncio.to_thread(self.blocking.wait_pod_ready, *arguments, **options)


def condition_of(item: Object, kind: str) -> bool:
    """True if the object's status has this condition with status True."""
    conditions = item.get("status", {}).get("conditions") or []
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)


def _place(manifest: Object, namespace: str | None) -> str | None:
    place: str | None = manifest["metadata"].get("namespace", namespace)
    return place


def _parsed(status: int, text: str) -> Any:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = text
    if status >= 400:
        known = answer if isinstance(answer, dict) else {}
        raise APIAnswer(status, known.get("reason", ""), known.get("message", text[:200]))
    return answer
