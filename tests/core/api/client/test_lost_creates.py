"""A create whose answer is lost: it is looked up, and never happens twice."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from mcks.core.api.client import ClusterClient
from mcks.errors import (
    Conflict,
    ServerError,
    Unreachable,
)
from tests.core.api.client.common import PODS, pod
from tests.fakes.loopback import FakeAPIServer, Handler, cut, do_and_cut, status


async def test_a_lost_answer_to_a_create_is_looked_up_not_repeated(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.fail_next(do_and_cut)
    made = (await client.create(pod())).json()
    assert made["metadata"]["uid"] == server.objects[f"{PODS}/p"]["metadata"]["uid"]
    assert [m for m, _ in server.seen] == ["POST", "GET"]


async def test_a_create_that_was_cut_off_before_it_happened_is_sent_once_more(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.fail_next(cut)
    await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "GET", "POST"]


async def test_a_create_that_is_always_cut_off_ends(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    async def cut_posts(request: web.Request, handler: Handler) -> web.StreamResponse | None:
        server.fail_next(cut_posts)
        return await cut(request, handler) if request.method == "POST" else None

    server.fail_next(cut_posts)
    with pytest.raises(Unreachable, match="the connection broke"):
        await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "GET", "POST", "GET"]


async def test_a_create_that_happened_late_is_found_by_its_conflict(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    async def late(request: web.Request, handler: Handler) -> web.Response:
        del handler
        server.put(f"{PODS}/p", await request.json())
        return status(409, "AlreadyExists")

    async def cut_then_nothing(request: web.Request, handler: Handler) -> web.StreamResponse | None:
        server.fail_next(none, late)
        return await cut(request, handler)

    async def none(_request: web.Request, _handler: Handler) -> None:
        return None

    server.fail_next(cut_then_nothing)
    assert (await client.create(pod())).json()["metadata"]["uid"]
    assert [m for m, _ in server.seen] == ["POST", "GET", "POST", "GET"]


@pytest.mark.parametrize("skew", [-7200, 0, 7200])
async def test_what_was_there_before_a_lost_create_is_a_conflict(
    client: ClusterClient, server: FakeAPIServer, skew: int
) -> None:
    server.clock_offset = skew
    server.put(f"{PODS}/p", pod(), age=10)
    server.fail_next(cut)
    with pytest.raises(Conflict, match="it exists already"):
        await client.create(pod())


@pytest.mark.parametrize("skew", [-7200, 7200])
async def test_a_lost_create_is_recognised_whatever_the_hubs_clock_says(
    client: ClusterClient, server: FakeAPIServer, skew: int
) -> None:
    server.clock_offset = skew
    server.fail_next(do_and_cut)
    assert (await client.create(pod())).json()["metadata"]["uid"]


@pytest.mark.parametrize(
    "other", [{"labels": {"key": "else"}}, {"deletionTimestamp": "2030-01-01T00:00:00Z"}]
)
async def test_an_object_of_another_owner_or_on_its_way_out_is_not_ours(
    client: ClusterClient, server: FakeAPIServer, other: dict[str, Any]
) -> None:
    server.put(f"{PODS}/p", pod(**other))
    server.fail_next(cut)
    with pytest.raises(Conflict):
        await client.create(pod())


async def test_an_object_with_other_owners_is_not_ours(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.put(f"{PODS}/p", pod(ownerReferences=[{"uid": "old"}]))
    server.fail_next(cut)
    with pytest.raises(Conflict):
        await client.create(pod(ownerReferences=[{"uid": "new"}]))


async def test_a_create_answered_by_500_is_looked_up_and_not_repeated(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(status(500, "InternalError", "failed calling webhook"))
    with pytest.raises(ServerError, match="webhook"):
        await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "GET"]


async def test_a_create_with_an_odd_answer_is_looked_up(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    async def page_instead(request: web.Request, handler: Handler) -> web.Response:
        await handler(request)
        return web.Response(text="<html>Welcome</html>")

    server.fail_next(page_instead)
    made = (await client.create(pod())).json()
    assert server.objects[f"{PODS}/p"]["metadata"]["uid"] == made["metadata"]["uid"]
    assert [method for method, _ in server.seen] == ["POST", "GET"]


async def test_a_lost_create_of_a_generated_name_cannot_be_looked_up(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.fail_next(cut)
    nameless = pod()
    del nameless["metadata"]["name"]
    nameless["metadata"]["generateName"] = "p-"
    with pytest.raises(Unreachable, match="create Pod p- in namespace ns"):
        await client.create(nameless)
    assert [m for m, _ in server.seen] == ["POST"]


async def test_a_dry_run_may_be_repeated(client: ClusterClient, server: FakeAPIServer) -> None:
    server.answer_next(status(500, "InternalError"))
    await client.create(pod(), dry_run=True)
    assert [m for m, _ in server.seen] == ["POST", "POST"]
    server.answer_next(*(status(500, "InternalError") for _ in range(9)))
    with pytest.raises(ServerError):
        await client.create(pod("q"), dry_run=True)


async def test_a_create_answered_by_503_is_looked_up_and_sent_once_more(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(status(503, "ServiceUnavailable"))
    await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "GET", "POST"]


async def test_a_conflict_after_a_lost_create_whose_object_is_gone_again_stays_one(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    async def nothing(_request: web.Request, _handler: Handler) -> None:
        return None

    server.fail_next(cut, nothing)
    server.answer_next(status(409, "AlreadyExists"))
    with pytest.raises(Conflict):
        await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "GET", "POST", "GET"]


async def test_without_a_date_from_the_server_nothing_is_taken_for_ours(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.put(f"{PODS}/p", pod())

    async def undated(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        answer.headers["Date"] = "nonsense"
        return answer

    server.fail_next(cut, undated)
    with pytest.raises(Conflict):
        await client.create(pod())
