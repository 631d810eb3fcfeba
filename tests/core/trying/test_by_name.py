"""Whether servers without a gateway can be reached is told as far as that is known without one."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from mcks.core.trying import by_name
from mcks.core.trying.subjects import Way

PODS, SERVICES = Way("pod"), Way("service")
ELSEWHERE = Way("service", domain="east.example.org")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What DNS knows."""
    names: dict[str, str] = {}

    async def getaddrinfo(_loop: Any, name: str, port: int, **_: Any) -> list[Any]:
        if name not in names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (names[name], port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return names


async def test_where_services_are_known_by_name_that_is_fine(known: dict[str, str]) -> None:
    known["kubernetes.default.svc"] = "10.0.0.1"
    step = await by_name.tried([SERVICES, PODS])
    assert (step.result, step.what) == ("ok", "no gateway: kubernetes.default.svc is 10.0.0.1")


async def test_where_they_are_not_known_a_warning_says_what_to_do(known: dict[str, str]) -> None:
    known["kubernetes.default.svc"] = "10.0.0.1"
    step = await by_name.tried([ELSEWHERE])
    assert step.result == "warning"
    assert step.what == "no gateway, and nobody knows kubernetes.default.svc.east.example.org"
    assert "cluster_domain" in step.to_do


async def test_of_pods_nothing_is_known_before_the_first_server() -> None:
    assert (await by_name.tried([PODS])).result == "skipped"
