"""ClusterClient against a real HTTPS server on loopback, with faults."""

from __future__ import annotations

import asyncio
import copy
import gc
import logging
import socket

import pytest
from aiohttp import web

from mcks.auth.credential import Credential
from mcks.backends.base import Backend, Endpoint
from mcks.core.client import ClusterClient
from mcks.core.connection import Deadlines
from mcks.core.objects import Ref, Selection
from mcks.errors import (
    APIError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from tests.loopback import FakeAPIServer, cut, do_and_cut, event, status

PODS = "/api/v1/namespaces/ns/pods"
POD = Ref("v1", "Pod", "p", "ns")
SECRET_VALUE = "very-secret-value"


class TestBackend(Backend):
    """Tokens t1, t2 ... for one server."""

    __test__ = False
    mints = 0
    where = Endpoint("https://localhost")

    async def endpoint(self) -> Endpoint:
        return self.where

    async def mint(self) -> Credential:
        self.mints += 1
        return Credential(token=f"token-{self.mints}")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr("mcks.core.connection._FIRST_PAUSE", 0.001)


@pytest.fixture
async def server():
    async with FakeAPIServer().running() as server:
        yield server


@pytest.fixture
async def backend(server):
    backend = TestBackend(cluster_name="a")
    backend.where = Endpoint(server.url, ca_data=server.ca_data)
    yield backend
    await backend.close()


@pytest.fixture
async def client(backend):
    client = await connect(backend)
    yield client
    await client.close()


async def connect(backend, **settings):
    return ClusterClient(
        await backend.connect(),
        cluster="a",
        credentials=backend.credentials,
        renew_trust=backend.renew_trust,
        **settings,
    )


def pod(name="p", **meta):
    meta = {"name": name, "namespace": "ns", "labels": {"key": "k"}} | meta
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}}


async def test_an_object_is_created_read_changed_replaced_and_deleted(client, server):
    made = await client.create(pod())
    assert made["metadata"]["uid"]
    assert server.queries[-1] == {"fieldManager": "mcks", "fieldValidation": "Strict"}
    assert (await client.get(POD))["metadata"] == made["metadata"]
    patched = await client.patch(POD, {"metadata": {"annotations": {"a": "b"}}})
    assert patched["metadata"]["annotations"] == {"a": "b"}
    assert server.headers[-1]["Content-Type"] == "application/merge-patch+json"
    patched["spec"] = {"x": 1}
    assert (await client.replace(patched))["spec"] == {"x": 1}
    assert await client.delete(POD, grace_period=1, propagation="Background") is True
    assert await client.delete(POD) is False
    with pytest.raises(NotFound):
        await client.get(POD)
    assert client.requests == len(server.seen) == 7


async def test_a_dry_run_is_asked_as_one(client, server):
    await client.create(pod(), dry_run=True)
    assert server.queries[-1]["dryRun"] == "All"


async def test_deletion_with_a_uid_leaves_another_object_of_that_name_alone(client):
    made = await client.create(pod())
    assert await client.delete(POD, uid="other") is False
    assert await client.delete(POD, uid=made["metadata"]["uid"]) is True


async def test_a_list_is_read_in_pieces_and_its_items_know_their_kind(client, server):
    for number in range(5):
        server.put(f"{PODS}/p{number}", pod(f"p{number}"))
    items, version = await client.list(Selection("v1", "Pod", "ns", "a=b", "c=d"), limit=2)
    assert [item["metadata"]["name"] for item in items] == ["p0", "p1", "p2", "p3", "p4"]
    assert {(item["apiVersion"], item["kind"]) for item in items} == {("v1", "Pod")}
    assert version == str(server.version)
    assert client.requests == 3
    assert server.queries[0] == {"labelSelector": "a=b", "fieldSelector": "c=d", "limit": "2"}


async def test_a_list_that_gets_too_old_is_begun_anew(client, server):
    for number in range(3):
        server.put(f"{PODS}/p{number}", pod(f"p{number}"))

    async def gone(request, _handler):
        return status(410, "Expired") if "continue" in request.query else None

    server.fail_next(gone, gone)
    items, _ = await client.list(Selection("v1", "Pod", "ns"), limit=2)
    assert len(items) == 3


async def test_only_metadata_is_asked_for_when_that_is_enough(client, server):
    await client.list(Selection("v1", "Secret", "ns"), metadata_only=True)
    assert "as=PartialObjectMetadataList" in server.headers[-1]["Accept"]


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", Invalid),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (409, "Conflict", Conflict),
        (410, "Expired", Gone),
        (418, "Teapot", APIError),
        (422, "Invalid", Invalid),
        (500, "InternalError", ServerError),
    ],
)
async def test_each_status_has_its_error_with_the_words_of_kubernetes(
    client, server, code, reason, expected
):
    server.answer_next(*(status(code, reason, "because of this") for _ in range(4)))
    with pytest.raises(expected, match="because of this") as failure:
        await client.get(POD)
    error = failure.value
    assert (error.status, error.reason) == (code, reason)
    assert str(error).startswith("cluster 'a': cannot get Pod p in namespace ns:")


async def test_an_answer_that_is_not_of_kubernetes_is_not_shown(client, server):
    server.answer_next(web.Response(status=403, text=f"<html>{SECRET_VALUE}"))
    with pytest.raises(Forbidden, match="from a proxy") as failure:
        await client.get(POD)
    assert SECRET_VALUE not in str(failure.value)


async def test_a_refused_secret_shows_fields_and_never_values(client, server):
    details = {"causes": [{"field": "data[x]", "reason": "FieldValueInvalid", "message": "m"}]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}}
    server.answer_next(
        status(422, "Invalid", f"bad {SECRET_VALUE}", details=details),
        status(400, "BadRequest", f'unknown field "dta" near {SECRET_VALUE}'),
    )
    with pytest.raises(Invalid, match=r"data\[x\]: FieldValueInvalid") as failure:
        await client.create(secret)
    assert SECRET_VALUE not in str(failure.value)
    with pytest.raises(Invalid, match='unknown field "dta"') as failure:
        await client.create(secret)
    assert SECRET_VALUE not in str(failure.value)


async def test_an_expired_token_is_renewed_once_and_nobody_notices(client, server, backend):
    server.tokens = {"token-2"}
    made = await client.create(pod())
    assert made["metadata"]["name"] == "p"
    assert backend.mints == 2
    assert [m for m, _ in server.seen] == ["POST", "POST"]


async def test_fifty_requests_with_a_revoked_token_make_one_new_mint(client, server, backend):
    server.put(f"{PODS}/p", pod())
    server.tokens = {"token-2"}
    await asyncio.gather(*(client.get(POD) for _ in range(50)))
    assert backend.mints == 2


async def test_a_second_401_is_an_answer(client, server, backend):
    server.tokens = set()
    with pytest.raises(Unauthorized):
        await client.get(POD)
    assert backend.mints == 2
    assert len(server.seen) == 2


async def test_a_403_never_renews(client, server, backend):
    server.answer_next(status(403, "Forbidden"))
    with pytest.raises(Forbidden):
        await client.get(POD)
    assert backend.mints == 1
    assert len(server.seen) == 1


async def test_a_401_tells_of_a_wrong_clock(client, server):
    date = "Mon, 01 Jan 2001 00:00:00 GMT"
    server.answer_next(*(status(401, "Unauthorized", Date=date) for _ in range(2)))
    with pytest.raises(Unauthorized, match=r"the hub's clock is .* s ahead of the server's"):
        await client.get(POD)


async def test_a_lost_answer_to_a_create_is_looked_up_not_repeated(client, server):
    server.fail_next(do_and_cut)
    made = await client.create(pod())
    assert made["metadata"]["uid"] == server.objects[f"{PODS}/p"]["metadata"]["uid"]
    assert [m for m, _ in server.seen] == ["POST", "GET"]


async def test_a_create_that_was_cut_off_before_it_happened_is_sent_once_more(client, server):
    server.fail_next(cut)
    await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "GET", "POST"]


async def test_a_create_that_is_always_cut_off_ends(client, server):
    async def cut_posts(request, handler):
        server.fail_next(cut_posts)
        return await cut(request, handler) if request.method == "POST" else None

    server.fail_next(cut_posts)
    with pytest.raises(Unreachable, match="the connection broke"):
        await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "GET", "POST", "GET"]


async def test_a_create_that_happened_late_is_found_by_its_conflict(client, server):
    async def late(request, handler):
        del handler
        server.put(f"{PODS}/p", await request.json())
        return status(409, "AlreadyExists")

    async def cut_then_nothing(request, handler):
        server.fail_next(none, late)
        return await cut(request, handler)

    async def none(_request, _handler):
        return None

    server.fail_next(cut_then_nothing)
    assert (await client.create(pod()))["metadata"]["uid"]
    assert [m for m, _ in server.seen] == ["POST", "GET", "POST", "GET"]


@pytest.mark.parametrize("skew", [-7200, 0, 7200])
async def test_what_was_there_before_a_lost_create_is_a_conflict(client, server, skew):
    server.clock_offset = skew
    server.put(f"{PODS}/p", pod(), age=10)
    server.fail_next(cut)
    with pytest.raises(Conflict, match="it exists already"):
        await client.create(pod())


@pytest.mark.parametrize("skew", [-7200, 7200])
async def test_a_lost_create_is_recognised_whatever_the_hubs_clock_says(client, server, skew):
    server.clock_offset = skew
    server.fail_next(do_and_cut)
    assert (await client.create(pod()))["metadata"]["uid"]


@pytest.mark.parametrize(
    "other", [{"labels": {"key": "else"}}, {"deletionTimestamp": "2030-01-01T00:00:00Z"}]
)
async def test_an_object_of_another_owner_or_on_its_way_out_is_not_ours(client, server, other):
    server.put(f"{PODS}/p", pod(**other))
    server.fail_next(cut)
    with pytest.raises(Conflict):
        await client.create(pod())


async def test_an_object_with_other_owners_is_not_ours(client, server):
    server.put(f"{PODS}/p", pod(ownerReferences=[{"uid": "old"}]))
    server.fail_next(cut)
    with pytest.raises(Conflict):
        await client.create(pod(ownerReferences=[{"uid": "new"}]))


async def test_a_create_answered_by_500_is_looked_up_and_not_repeated(client, server):
    server.answer_next(status(500, "InternalError", "failed calling webhook"))
    with pytest.raises(ServerError, match="webhook"):
        await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "GET"]


async def test_reads_are_repeated_after_a_broken_connection_and_5xx(client, server):
    server.put(f"{PODS}/p", pod())
    server.fail_next(cut)
    server.answer_next(status(503, "ServiceUnavailable"))
    await client.get(POD)
    assert len(server.seen) >= 3, "aiohttp itself repeats a GET once on a broken connection"


async def test_reads_are_repeated_a_bounded_number_of_times(client, server):
    server.answer_next(*(status(503, "ServiceUnavailable") for _ in range(9)))
    with pytest.raises(ServerError):
        await client.get(POD)
    assert len(server.seen) == 4


async def test_retry_after_is_honoured_for_every_verb(client, server):
    server.answer_next(status(429, "TooManyRequests", Retry_After="0.01"))
    await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "POST"]


async def test_a_retry_after_beyond_the_deadline_is_an_error_at_once(client, server):
    server.answer_next(status(429, "TooManyRequests", Retry_After="3600"))
    with pytest.raises(TooManyRequests) as failure:
        await client.create(pod())
    assert failure.value.retry_after == 3600
    assert len(server.seen) == 1


async def test_a_silent_server_is_given_up_at_the_deadline(server, backend):
    client = await connect(backend, deadlines=Deadlines(connect=1, total=0.5))

    async def silent(_request, _handler):
        await server.watch_held.wait()

    server.fail_next(silent)
    with pytest.raises(Unreachable, match="no answer within"):
        await client.get(POD)
    assert len(server.seen) == 1
    await client.close()


async def test_a_refused_connection_names_cluster_server_and_cause(backend):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        backend.where = Endpoint(f"https://127.0.0.1:{port}", backend.where.ca_data)
        client = await connect(backend)
        with pytest.raises(Unreachable, match=f"cluster 'a'.*127.0.0.1:{port}: no connection"):
            await client.create(pod())
        await client.close()


async def test_a_name_that_does_not_resolve_is_said(backend):
    backend.where = Endpoint("https://nowhere.invalid", backend.where.ca_data)
    client = await connect(backend)
    with pytest.raises(Unreachable, match=r"nowhere.invalid: its name cannot be resolved"):
        await client.get(POD)
    await client.close()


async def test_a_wrong_ca_is_said(server, backend):
    backend.where = Endpoint(server.url, FakeAPIServer().ca_data)
    client = await connect(backend)
    with pytest.raises(Unreachable, match="its certificate was refused"):
        await client.get(POD)
    assert server.seen == []
    await client.close()


async def test_a_rotated_ca_is_learned_without_a_new_client(server, backend):
    right = backend.where
    backend.where = Endpoint(server.url, FakeAPIServer().ca_data)
    client = await connect(backend)
    backend.where = right
    await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST"]
    await client.close()


async def test_a_wrong_host_name_is_refused(server, backend):
    backend.where = Endpoint(server.url, server.ca_data, tls_server_name="other.example.test")
    client = await connect(backend)
    with pytest.raises(Unreachable, match="certificate was refused"):
        await client.get(POD)
    await client.close()


async def test_the_sdk_may_raise_for_errors_instead_of_returning_them(client, server, monkeypatch):
    """Releases of kubernetes_asyncio differ in this; both kinds must work."""
    from kubernetes_asyncio.client import rest

    original = rest.RESTClientObject.request

    async def raising(self, *args, **kwargs):
        response = await original(self, *args, **kwargs)
        if response.status >= 400:
            data = await response.read()
            raise rest.ApiException(http_resp=rest.RESTResponse(response, data))
        return response

    monkeypatch.setattr(rest.RESTClientObject, "request", raising)
    with pytest.raises(NotFound, match="not found"):
        await client.get(POD)
    server.tokens = {"token-2"}
    server.put(f"{PODS}/p", pod())
    assert await client.get(POD)


async def watched(client, **settings):
    selection = Selection("v1", "Pod", "ns")
    return [e async for e in client.watch(selection, "100", **settings)]


async def test_a_watch_gives_events_and_bookmarks_until_the_server_ends_it(client, server):
    big = pod(annotations={"a": "x" * 3_000_000})
    mark = {"kind": "Pod", "metadata": {"resourceVersion": "105"}}
    lines = event("ADDED", pod()) + event("MODIFIED", big) + event("BOOKMARK", mark)
    server.watch_lines = [lines[i : i + 100_000] for i in range(0, len(lines), 100_000)]
    server.watch_lines.append(b'{"type": "ADDED", "object": {"incompl')
    server.watch_held.set()
    events = await watched(client, timeout=60)
    assert [e.type for e in events] == ["ADDED", "MODIFIED", "BOOKMARK"]
    assert events[1].object == big
    query = server.queries[-1]
    assert query["allowWatchBookmarks"] == "true"
    assert (query["resourceVersion"], query["timeoutSeconds"]) == ("100", "60")


async def test_a_watch_from_too_old_a_version_is_gone(client, server):
    body = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    server.watch_lines = [event("ERROR", body)]
    with pytest.raises(Gone, match="too old"):
        await watched(client)


async def test_a_watch_refused_with_401_is_opened_with_a_new_credential(client, server, backend):
    server.tokens = {"token-2"}
    server.watch_lines = [event("ADDED", pod())]
    server.watch_held.set()
    assert len(await watched(client)) == 1
    assert backend.mints == 2


async def test_a_watch_that_does_not_end_in_time_is_unreachable(server, backend):
    client = await connect(backend, deadlines=Deadlines(overdue=0.05))
    with pytest.raises(Unreachable, match="silent"):
        await watched(client, timeout=0)
    await client.close()


async def test_a_watch_that_breaks_is_unreachable(client, server):
    async def break_off(request, _handler):
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(event("ADDED", pod()))
        request.transport.abort()
        return response

    server.fail_next(break_off)
    with pytest.raises(Unreachable, match="cut off"):
        await watched(client)


async def test_a_watch_of_nonsense_is_unreachable(client, server):
    server.watch_lines = [b"nonsense\n"]
    with pytest.raises(Unreachable, match="no event"):
        await watched(client)


async def test_any_number_of_watches_leaves_room_for_requests(client, server):
    server.watch_lines = [event("ADDED", pod())]
    watches = [client.watch(Selection("v1", "Pod", "ns"), "100") for _ in range(120)]
    try:
        await asyncio.gather(*(anext(watch) for watch in watches))
        assert (await client.list(Selection("v1", "Pod", "ns")))[0] == []
    finally:
        await asyncio.gather(*(watch.aclose() for watch in watches))


async def test_a_watch_that_is_given_up_leaves_no_connection_even_if_the_loop_ends(server):
    server.watch_lines = [event("ADDED", pod())]

    async def look_once():
        backend = TestBackend(cluster_name="a")
        backend.where = Endpoint(server.url, ca_data=server.ca_data)
        client, seen = await connect(backend), asyncio.Event()

        async def look():
            async for _ in client.watch(Selection("v1", "Pod", "ns"), "100"):
                seen.set()

        looking = asyncio.create_task(look())
        await seen.wait()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await client.close()
        await backend.close()

    for _ in range(5):
        await asyncio.to_thread(asyncio.run, look_once())
    assert [t for t in gc.get_objects() if is_open_without_a_loop(t)] == []


def is_open_without_a_loop(thing):
    if not isinstance(thing, asyncio.selector_events._SelectorSocketTransport):
        return False
    return thing._sock is not None and thing._loop.is_closed()


async def test_requests_beyond_a_bound_wait_for_their_turn(client, server, monkeypatch):
    under_way = most = 0

    async def count(_request, _handler):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1

    server.fail_next(*[count] * 30)
    await asyncio.gather(*(client.list(Selection("v1", "Pod", "ns")) for _ in range(30)))
    assert 0 < most <= 10


async def test_a_watch_of_one_endless_line_is_unreachable(client, server, monkeypatch):
    monkeypatch.setattr("mcks.core.stream._LONGEST_LINE", 1000)
    server.watch_lines = [b"x" * 600, b"x" * 600]
    with pytest.raises(Unreachable, match="too long"):
        await watched(client)


async def test_an_event_without_an_object_is_unreachable(client, server):
    server.watch_lines = [b'{"type": "ADDED", "object": null}\n']
    with pytest.raises(Unreachable, match="without an object"):
        await watched(client)


async def test_a_watch_that_does_not_open_is_given_up_at_the_deadline(server, backend):
    client = await connect(backend, deadlines=Deadlines(total=0.05))

    async def silent(_request, _handler):
        await server.watch_held.wait()

    server.fail_next(silent)
    with pytest.raises(Unreachable, match="no answer within"):
        await watched(client)
    await client.close()


ODD = [web.Response(text="<html>Welcome</html>"), web.json_response({}), web.json_response([])]


@pytest.mark.parametrize("number", range(3))
async def test_a_success_that_kubernetes_did_not_say_is_none(client, server, number):
    made = await client.create(pod())
    for verb in (client.get(POD), client.list(Selection("v1", "Pod", "ns")), client.delete(POD)):
        server.answer_next(copy.copy(ODD[number]))
        with pytest.raises(Unreachable, match="not in Kubernetes' words"):
            await verb
    assert (await client.get(POD))["metadata"]["uid"] == made["metadata"]["uid"]


async def test_a_deletion_is_tried_even_while_the_cluster_is_left_alone(client, server):
    made = await client.create(pod())
    for _ in range(3):
        server.answer_next(*(status(503, "ServiceUnavailable") for _ in range(4)))
        with pytest.raises(ServerError):
            await client.get(POD)
    with pytest.raises(Unavailable):
        await client.get(POD)
    assert await client.delete(POD, uid=made["metadata"]["uid"])
    with pytest.raises(NotFound):
        await client.get(POD)


async def test_a_create_is_brought_to_its_end_though_others_fail_meanwhile(client, server):
    async def others_fail(request, _handler):
        for _ in range(3):
            with pytest.raises(Unreachable), client._connection.breaker.attempt(forced=True):
                raise Unreachable("away")
        return status(503, "ServiceUnavailable")

    server.fail_next(others_fail)
    assert await client.create(pod())
    assert [method for method, _ in server.seen] == ["POST", "GET", "POST"]


async def test_creates_that_succeed_at_the_second_try_do_not_close_a_cluster(client, server):
    server.answer_next(*(status(503, "ServiceUnavailable") for _ in range(5)))
    await asyncio.gather(*(client.create(pod(f"p{number}")) for number in range(5)))
    assert client._connection.breaker.unavailable is None
    assert len((await client.list(Selection("v1", "Pod", "ns")))[0]) == 5


async def test_a_list_without_a_version_is_not_taken_for_an_empty_one(client, server):
    server.answer_next(web.json_response({"kind": "PodList", "metadata": {}, "items": []}))
    with pytest.raises(Unreachable, match="no list"):
        await client.list(Selection("v1", "Pod", "ns"))


async def test_a_create_with_an_odd_answer_is_looked_up(client, server):
    async def page_instead(request, handler):
        await handler(request)
        return web.Response(text="<html>Welcome</html>")

    server.fail_next(page_instead)
    made = await client.create(pod())
    assert server.objects[f"{PODS}/p"]["metadata"]["uid"] == made["metadata"]["uid"]
    assert [method for method, _ in server.seen] == ["POST", "GET"]


HTTPROUTE = Ref("gateway.networking.k8s.io/v1", "HTTPRoute", "r", "ns")
GROUP = "/apis/gateway.networking.k8s.io/v1"


async def test_other_kinds_are_discovered_once(client, server):
    resources = [
        {"kind": "HTTPRoute", "name": "httproutes", "namespaced": True},
        {"kind": "HTTPRoute", "name": "httproutes/status", "namespaced": True},
        {"kind": "GatewayClass", "name": "gatewayclasses", "namespaced": False},
    ]
    server.objects[GROUP] = {"kind": "APIResourceList", "resources": resources}
    route = {
        "apiVersion": HTTPROUTE.api_version,
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": "ns"},
    }
    assert await asyncio.gather(
        client.namespaced(HTTPROUTE.api_version, "HTTPRoute"),
        client.namespaced(HTTPROUTE.api_version, "GatewayClass"),
    ) == [True, False]
    await client.create(route)
    assert server.seen == [("GET", GROUP), ("POST", f"{GROUP}/namespaces/ns/httproutes")]


async def test_a_kind_that_is_not_there_is_said_and_asked_for_again(client, server):
    for _ in range(2):
        with pytest.raises(NotFound, match=r"no kind HTTPRoute in .*custom resource definitions"):
            await client.get(HTTPROUTE)
    assert server.seen == [("GET", GROUP)] * 2
    assert await client.delete(HTTPROUTE) is False


async def test_a_failed_discovery_is_not_remembered(client, server):
    server.answer_next(*(status(403, "Forbidden") for _ in range(1)))
    with pytest.raises(Forbidden, match="find the kinds"):
        await client.get(HTTPROUTE)
    with pytest.raises(NotFound):
        await client.get(HTTPROUTE)


async def test_built_in_kinds_need_no_discovery(client, server):
    assert await client.namespaced("rbac.authorization.k8s.io/v1", "RoleBinding")
    assert not await client.namespaced("v1", "Namespace")
    assert server.seen == []


async def test_a_backend_may_explain_why_a_login_was_refused_once_a_minute(server, backend):
    asked = []

    async def explain(error):
        asked.append(type(error))
        return "Give it an access entry"

    client = await connect(backend, explain=explain)
    server.tokens = set()
    with pytest.raises(Unauthorized, match=r"Unauthorized\. Give it an access entry$"):
        await client.get(POD)
    with pytest.raises(Unauthorized, match=r"Unauthorized\. Give it an access entry$"):
        await watched(client)
    assert asked == [Unauthorized]
    await client.close()


async def test_an_explanation_that_fails_is_left_out(server, backend):
    async def explain(_error):
        raise Unreachable("the cloud is away, too")

    client = await connect(backend, explain=explain)
    server.tokens = set()
    with pytest.raises(Unauthorized, match=r"Unauthorized$"):
        await client.get(POD)
    await client.close()


async def test_raw_paths_and_logs_are_read(client, server):
    server.answer_next(web.Response(text="ok"), web.Response(text="last\nlines\n"))
    assert await client.raw_get("/readyz") == b"ok"
    assert await client.logs(POD, "notebook", tail_lines=5) == "last\nlines\n"
    assert server.seen[-1] == ("GET", f"{PODS}/p/log")
    assert server.queries[-1]["tailLines"] == "5"


def review(kind, **answer):
    return {"kind": kind, "status": answer}


async def test_reviews_ask_what_the_hub_may_do_and_who_it_is(client, server):
    asked = []

    async def allow(request, _handler):
        asked.append(await request.json())
        return web.json_response(review("SelfSubjectAccessReview", allowed=True))

    async def me(_request, _handler):
        return web.json_response(
            review("SelfSubjectReview", userInfo={"username": "hub@example.org"})
        )

    server.fail_next(allow, me)
    assert await client.review("create", resource="pods", namespace="ns") is True
    assert await client.whoami() == "hub@example.org"
    assert asked[0]["spec"]["resourceAttributes"] == {
        "verb": "create",
        "group": "",
        "resource": "pods",
        "namespace": "ns",
    }


async def test_no_token_and_no_secret_shows_in_logs_or_errors(client, server, caplog):
    caplog.set_level(logging.DEBUG)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}}
    secret["stringData"] = {"x": SECRET_VALUE}
    await client.create(secret)
    await client.get(Ref("v1", "Secret", "s", "ns"))
    server.tokens = set()
    for call in (client.get(POD), client.create(secret)):
        with pytest.raises(Unauthorized) as failure:
            await call
        chain = [failure.value, failure.value.__cause__, failure.value.__context__]
        shown = "".join(str(e) + repr(e) for e in chain) + caplog.text
        for hidden in (SECRET_VALUE, "token-1", "token-2", "Bearer"):
            assert hidden not in shown


async def test_metrics_count_requests_by_cluster_verb_and_status(client, server):
    from mcks.metrics import API_REQUESTS

    before = API_REQUESTS.labels("a", "get", "404")._value.get()
    with pytest.raises(NotFound):
        await client.get(POD)
    assert API_REQUESTS.labels("a", "get", "404")._value.get() == before + 1


async def test_a_netrc_file_is_not_used(server, backend, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client = await connect(backend)
    await client.create(pod())
    assert server.headers[-1]["Authorization"] == "Bearer token-1"
    await client.close()


async def test_a_lost_create_of_a_generated_name_cannot_be_looked_up(client, server):
    server.fail_next(cut)
    nameless = pod()
    del nameless["metadata"]["name"]
    nameless["metadata"]["generateName"] = "p-"
    with pytest.raises(Unreachable, match="create Pod p- in namespace ns"):
        await client.create(nameless)
    assert [m for m, _ in server.seen] == ["POST"]


async def test_a_dry_run_may_be_repeated(client, server):
    server.answer_next(status(500, "InternalError"))
    await client.create(pod(), dry_run=True)
    assert [m for m, _ in server.seen] == ["POST", "POST"]
    server.answer_next(*(status(500, "InternalError") for _ in range(9)))
    with pytest.raises(ServerError):
        await client.create(pod("q"), dry_run=True)


async def test_a_create_answered_by_503_is_looked_up_and_sent_once_more(client, server):
    server.answer_next(status(503, "ServiceUnavailable"))
    await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "GET", "POST"]


async def test_a_conflict_after_a_lost_create_whose_object_is_gone_again_stays_one(client, server):
    async def nothing(_request, _handler):
        return None

    server.fail_next(cut, nothing)
    server.answer_next(status(409, "AlreadyExists"))
    with pytest.raises(Conflict):
        await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "GET", "POST", "GET"]


async def test_without_a_date_from_the_server_nothing_is_taken_for_ours(client, server):
    server.put(f"{PODS}/p", pod())

    async def undated(request, handler):
        answer = await handler(request)
        answer.headers["Date"] = "nonsense"
        return answer

    server.fail_next(cut, undated)
    with pytest.raises(Conflict):
        await client.create(pod())


async def test_a_conflicting_deletion_without_a_uid_is_an_error(client, server):
    server.answer_next(status(409, "Conflict"))
    with pytest.raises(Conflict):
        await client.delete(POD)


async def test_a_retry_after_may_be_in_the_body_and_may_be_nonsense(client, server):
    server.answer_next(status(429, "TooManyRequests", details={"retryAfterSeconds": 3600}))
    with pytest.raises(TooManyRequests) as failure:
        await client.get(POD)
    assert failure.value.retry_after == 3600
    server.answer_next(status(403, "Forbidden", Retry_After="soon"))
    with pytest.raises(Forbidden) as refused:
        await client.get(POD)
    assert refused.value.retry_after is None


async def test_a_refused_token_without_a_cache_is_an_error_at_once(server, backend):
    client = ClusterClient(await backend.connect(), cluster="a")
    server.tokens = set()
    with pytest.raises(Unauthorized):
        await client.get(POD)
    assert len(server.seen) == 1
    assert client.server == server.url.removeprefix("https://")
    await client.close()


async def test_a_server_that_speaks_no_tls_is_said(backend):
    async def speak(_reader, writer):
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = plain.sockets[0].getsockname()[1]
    backend.where = Endpoint(f"https://127.0.0.1:{port}", backend.where.ca_data)
    client = await connect(backend)
    with pytest.raises(Unreachable, match="TLS failed"):
        await client.get(POD)
    await client.close()
    plain.close()


async def test_a_proxy_that_refuses_is_said(backend):
    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    where = backend.where
    backend.where = Endpoint(where.server, where.ca_data, proxy_url=f"http://127.0.0.1:{port}")
    client = await connect(backend)
    with pytest.raises(Unreachable, match=r"the proxy refused the connection \(HTTP status 407\)"):
        await client.get(POD)
    await client.close()
    proxy.close()
