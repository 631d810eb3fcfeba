"""Go the way of a start, without starting: log in to each cluster and ask what the hub may do.

Which clusters there are (subjects.py), mistakes that need no network (checking) and how all is
shown (commands) do not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from mcks.auth.shared import SharedCredentials
from mcks.backends.base import Backend
from mcks.core.api.client import ClusterClient
from mcks.core.api.transport import Transport
from mcks.core.clusters.cluster import CONTEXT_PREFIX, ConfiguredCluster
from mcks.core.gateways import gateway, routes
from mcks.core.gateways.gateway_session import GatewaySession
from mcks.core.objects import Ref
from mcks.core.trying import by_name, certificates, hub_role, lasting, objects
from mcks.core.trying.report import STEPS, Report, Step
from mcks.core.trying.subjects import Subject
from mcks.errors import (
    AuthError,
    ConfigError,
    Forbidden,
    MCKSError,
    NotFound,
    Unauthorized,
    Unreachable,
)

DEADLINE = 60.0
"""Seconds for one cluster."""
_AT_A_TIME = 16
"""Clusters; clouds count how fast they are asked."""
_REVIEWS_AT_A_TIME = 8
_EXPOSED = (
    "these rights reach the Secrets of all users in the namespace: "
    "grant them in a namespace of the user's own"
)
_UNASKED = "; whether its network enforces NetworkPolicies cannot be asked: try it"
_REDIRECTS = (
    "no redirect is followed: set ingress_public_url to where the gateway serves, unless it does "
    "not redirect what it has a route for"
)
_TRUST = (
    "give the gateway a certificate for the name in ingress_public_url, of an authority that the "
    "hub and its proxy trust"
)
_REMEDIES: dict[str, dict[type[MCKSError], str]] = {
    "discover": {
        ConfigError: "correct the cluster's entry in the configuration",
        AuthError: "let the hub's cloud identity read the cluster (see the how-to of this cloud)",
        Unreachable: "let this machine reach the cloud's API; HTTPS_PROXY counts",
    },
    "mint": {
        ConfigError: "correct the cluster's entry in the configuration, or the environment",
        AuthError: "give the hub an identity of this cloud (see the how-to of this cloud)",
        Unreachable: "let this machine reach the cloud's log-in service; HTTPS_PROXY counts",
    },
    "objects": {
        Unreachable: "look why the API server answered before and not now",
    },
    "connect": {
        Unauthorized: "make the cluster know this identity (see the how-to of this cloud)",
        Unreachable: "let this machine reach the API server, and look whether it runs",
    },
}


async def check(
    chosen: Sequence[Subject],
    *,
    deadline: float = DEADLINE,
    told: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> list[Report]:
    """Check all *chosen* clusters at the same time, each for *deadline* seconds at the most.

    *told* hears how many of them are done.
    """
    at_a_time = asyncio.Semaphore(_AT_A_TIME)
    shared = SharedCredentials()
    done = 0

    async def one(subject: Subject) -> Report:
        nonlocal done
        async with at_a_time:
            report = await _Check(subject, shared, deadline).run()
        done += 1
        told("Asking clusters", done, len(chosen))
        return report

    return list(await asyncio.gather(*map(one, chosen)))


class _Heard(logging.Handler):
    """Keeps what a backend would warn of in the hub's log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    def take(self) -> str:
        messages, self.messages = self.messages, []
        return "; ".join(dict.fromkeys(messages))


@dataclass
class _Failed(Exception):
    """A step's own finding, as opposed to an error of mcks."""

    what: str
    to_do: str


@dataclass
class _Check:
    """One cluster's way through the steps."""

    subject: Subject
    shared: SharedCredentials
    deadline: float
    steps: dict[str, Step] = field(default_factory=dict)
    heard: _Heard = field(default_factory=_Heard)
    user: str = ""

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.deadline

    async def run(self) -> Report:
        log = logging.Logger("mcks.check", logging.WARNING)  # noqa: LOG001 - nobody else's
        log.addHandler(self.heard)
        await asyncio.gather(self._log_in(log), self._step("gateway", self._gateway))
        missing = (Step(name, "skipped", "") for name in STEPS)
        steps = tuple(self.steps.get(step.step, step) for step in missing)
        return Report(self.subject.name.removeprefix(CONTEXT_PREFIX), steps)

    async def _log_in(self, log: logging.Logger) -> None:
        try:
            configured = self.subject.configure(log)
        except MCKSError as exc:
            self._fail("discover", exc)
            return
        backend = configured.backend
        backend.shared_credentials = self.shared
        async with AsyncExitStack() as stack:
            stack.push_async_callback(backend.close)
            found = await self._step("discover", lambda: _discover(backend))
            minted = await self._step("mint", lambda: _mint(backend))
            if not (found and minted):
                if self.steps["mint"].what == self.steps["discover"].what:
                    del self.steps["mint"]  # it would say the same once more
                return
            if await self._step("connect", lambda: self._connect(backend, stack)):
                await self._step("authorise", lambda: self._authorise(configured))
                await self._step(objects.NAME, self._objects)

    async def _step(self, name: str, ask: Callable[[], Awaitable[Step | str]]) -> bool:
        """Take one step; say whether the next one makes sense."""
        try:
            async with asyncio.timeout(max(self.until - time.monotonic(), 0.0)):
                found = await ask()
        except TimeoutError:
            what = f"no answer within {self.deadline:.0f} seconds"
            self.steps[name] = Step(name, "failed", what, _remedy(name, Unreachable()))
        except _Failed as exc:
            self.steps[name] = Step(name, "failed", exc.what, exc.to_do)
        except MCKSError as exc:
            self._fail(name, exc)
        else:
            step = found if isinstance(found, Step) else Step(name, "ok", found)
            if name != "gateway" and (warning := self.heard.take()):
                step = Step(name, "warning", step.what, warning)
            self.steps[name] = step
        return self.steps[name].result in ("ok", "warning")

    def _fail(self, name: str, exc: MCKSError) -> None:
        self.heard.take()
        self.steps[name] = Step(name, "failed", str(exc), _remedy(name, exc))

    async def _connect(self, backend: Backend, stack: AsyncExitStack) -> Step | str:
        client = ClusterClient(await Transport.of(backend))
        stack.push_async_callback(client.close)
        self._client = client
        found = await _version(client)
        with contextlib.suppress(NotFound, Forbidden):
            self.user = await client.whoami()
            found += f", which knows the hub as {self.user}"
        doubts = [doubt async for doubt in lasting.doubts(client, backend, found)]
        if doubts:
            what = ", but ".join([found, "; ".join(what for what, _ in doubts)])
            return Step("connect", "warning", what, "; ".join(to_do for _, to_do in doubts))
        return found

    async def _authorise(self, configured: ConfiguredCluster) -> Step | str:
        namespace, needs = configured.namespace, self.subject.needs(configured.cluster)
        asked = [
            (verb, rule["apiGroups"][0], resource)
            for rule in hub_role.hub_role_rules(needs, of_users=namespace is None)
            for resource in rule["resources"]
            for verb in rule["verbs"]
        ]
        at_a_time = asyncio.Semaphore(_REVIEWS_AT_A_TIME)

        async def may(verb: str, group: str, resource: str) -> bool:
            plural, _, sub = resource.partition("/")
            async with at_a_time:
                return await self._client.review(
                    verb, group=group, resource=plural, subresource=sub, namespace=namespace
                )

        allowed = await asyncio.gather(*(may(*one) for one in asked))
        where = f"in {_place(namespace)} the hub may"
        if not any(allowed):
            raise _Failed(f"{where} do nothing of what it needs", self._grant())
        if missing := _missing(asked, allowed):
            raise _Failed(f"{where} not {missing}", self._grant())
        return await self._look_around(namespace, _UNASKED if needs.isolates else "")

    async def _look_around(self, namespace: str | None, more: str) -> Step | str:
        """All that is needed is allowed: is the namespace there, and is it not too much?"""
        try:
            if namespace is not None:
                await self._client.get(Ref("v1", "Namespace", namespace))
        except NotFound:
            to_do = f"kubectl create namespace {namespace}, or set another in the configuration"
            raise _Failed(f"there is no namespace {namespace}", to_do) from None
        except Forbidden:
            pass  # the least Role does not hold it
        if await self._client.review("*", group="*", resource="*"):
            what = "all that is needed, but the hub may do everything in this cluster"
            return Step("authorise", "warning", what, self._grant() + ", and take the rest away")
        found = f"all that is needed in {_place(namespace)}{more}"
        if exposed := "; ".join(self.subject.exposures):
            return Step("authorise", "warning", f"{found}, but {exposed}", _EXPOSED)
        return found

    def _grant(self) -> str:
        prefix = "system:serviceaccount:"
        if self.user.startswith(prefix):
            who = f"--serviceaccount {self.user.removeprefix(prefix)}"
        else:
            who = f"--user '{self.user or 'NAME'}'"
        cluster = self.subject.name.removeprefix(CONTEXT_PREFIX)
        return f"mcks rbac {cluster} {who} | kubectl apply -f -"

    async def _objects(self) -> Step:
        return await objects.step(self._client, self.subject.samples)

    async def _gateway(self) -> Step | str:
        if not self.subject.urls and self.subject.direct:
            return await by_name.tried(self.subject.direct)
        if not self.subject.urls:
            return Step("gateway", "skipped", "no ingress_public_url is configured for it")
        context = ssl.create_default_context()
        ends = [told for url in self.subject.urls if (told := await _ending(url, context))]
        answers = []
        session = GatewaySession(context=context)
        for url in self.subject.urls:
            target = routes.Target(url.rstrip("/"), "/", "http")
            answers.append((url, await gateway.ask(session, target)))
        await session.close()
        told = "; ".join(f"{url}: {answer.text}" for url, answer in answers)
        if not all(answer.text.startswith("HTTP ") for _, answer in answers):
            raise _Failed(
                told, "look whether ingress_public_url is the gateway's and the gateway runs"
            )
        if any(answer.elsewhere for _, answer in answers):
            return Step("gateway", "warning", told, _REDIRECTS)
        if ends:
            return Step("gateway", "warning", "; ".join([told, *ends]), lasting.RENEW)
        return told


def _missing(asked: Sequence[tuple[str, str, str]], allowed: Sequence[bool]) -> str:
    """Put what is not allowed into words: ``create, get pods; list events``."""
    verbs: dict[str, list[str]] = {}
    for (verb, group, resource), fine in zip(asked, allowed, strict=True):
        if not fine:
            verbs.setdefault(f"{resource}.{group}".rstrip("."), []).append(verb)
    return "; ".join(f"{', '.join(missing)} {what}" for what, missing in verbs.items())


async def _discover(backend: Backend) -> Step | str:
    endpoint = await backend.endpoint()
    if endpoint.insecure_skip_tls_verify:
        to_do = "replace insecure-skip-tls-verify by the cluster's CA"
        return Step("discover", "warning", f"{endpoint.server}, whoever it is", to_do)
    return endpoint.server


async def _mint(backend: Backend) -> str:
    credential = await backend.credentials.get()
    kind = "token" if credential.token else "certificate" if credential.client_certificate else ""
    if not kind:
        return backend.identity() or "a log-in without token"
    ends = "whose end is not known"
    if credential.expires_at is not None:
        ends = f"for {(credential.expires_at - time.time()) / 60:.0f} minutes"
    return ": ".join(filter(None, [backend.identity(), f"a {kind} {ends}"]))


async def _version(client: ClusterClient) -> str:
    try:
        answer = json.loads(await client.raw_get("/version"))
    except Forbidden:
        return f"{client.server}, whose version is a secret"
    except ValueError:
        answer = {}
    return f"Kubernetes {answer.get('gitVersion', 'of unknown version')}"


async def _ending(url: str, context: ssl.SSLContext) -> str:
    """Say that a gateway's certificate ends soon. Raises _Failed if it is not good."""
    if not url.startswith("https:"):
        return ""
    try:
        days = await certificates.days_left(url, context)
    except ssl.SSLCertVerificationError as exc:
        raise _Failed(f"{url}: its certificate is not good: {exc.verify_message}", _TRUST) from None
    except OSError:
        return ""  # that it does not answer is told elsewhere
    ending = certificates.ending(days)
    return f"{url}: {ending}" if ending else ""


def _remedy(step: str, exc: MCKSError) -> str:
    known = _REMEDIES.get(step, {})
    return next((known[cls] for cls in type(exc).mro() if cls in known), "")


def _place(namespace: str | None) -> str:
    return "all namespaces" if namespace is None else f"namespace {namespace}"
