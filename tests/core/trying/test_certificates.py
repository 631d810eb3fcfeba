"""A gateway's certificate: good for how long, for which name, of whom."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trustme

from mcks.core.trying import certificates, cluster_check
from mcks.core.trying.report import Step
from mcks.core.trying.subjects import Subject
from mcks.errors import ConfigError


@asynccontextmanager
async def tls_server(ca: trustme.CA, name: str, ends_in: datetime.timedelta) -> AsyncIterator[str]:
    """An HTTPS server that answers 404, with a certificate for *name*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ends = datetime.datetime.now(datetime.UTC) + ends_in
    ca.issue_cert(name, not_after=ends).configure_cert(context)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline():
            writer.write(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that this process trusts."""
    ca = trustme.CA()
    original: Callable[..., ssl.SSLContext] = ssl.create_default_context

    def trusting(*args: object, **kwargs: object) -> ssl.SSLContext:
        context = original()
        ca.configure_trust(context)
        return context

    monkeypatch.setattr(ssl, "create_default_context", trusting)
    return ca


def _offline(_: object) -> None:
    raise ConfigError("only the gateway is of interest")


async def gateway_of(url: str) -> Step:
    subject = Subject("west", (url,), _offline)  # type: ignore[arg-type]
    [report] = await cluster_check.check([subject])
    return report.steps[-1]


async def test_the_days_until_a_certificate_ends_are_counted(trusted: trustme.CA) -> None:
    async with tls_server(trusted, "localhost", datetime.timedelta(days=100)) as url:
        days = await certificates.days_left(url, ssl.create_default_context())
    assert 99 < days <= 100
    assert certificates.ending(days) == ""


async def test_a_gateway_whose_certificate_ends_soon_is_told(trusted: trustme.CA) -> None:
    async with tls_server(trusted, "localhost", datetime.timedelta(days=20)) as url:
        step = await gateway_of(url)
    assert step.result == "warning"
    assert "its certificate ends in 20 days" in step.what
    assert "renew" in step.to_do


@pytest.mark.parametrize(
    ("name", "days", "words"),
    [
        ("gateway.example.org", 100, "Hostname mismatch"),
        ("localhost", -1, "certificate has expired"),
    ],
)
async def test_a_certificate_that_is_not_good_fails_the_gateway(
    trusted: trustme.CA, name: str, days: int, words: str
) -> None:
    async with tls_server(trusted, name, datetime.timedelta(days=days)) as url:
        step = await gateway_of(url)
    assert step.result == "failed"
    assert words in step.what
    assert "the name in ingress_public_url" in step.to_do


async def test_a_certificate_of_a_stranger_fails_the_gateway() -> None:
    async with tls_server(trustme.CA(), "localhost", datetime.timedelta(days=100)) as url:
        step = await gateway_of(url)
    assert step.result == "failed"
    assert "self-signed certificate" in step.what or "unable to get local issuer" in step.what
