"""ClusterClient's verbs, and what each answer becomes."""

from __future__ import annotations

import asyncio
import copy
import gc
from typing import Any

import pytest
from aiohttp import web

from mcks.core.api.client import ClusterClient
from mcks.core.api.kinds import built_in
from mcks.core.api.no_answer import NotKubernetes, ServerUnreachable
from mcks.core.api.request import CREATE, Answer, Request
from mcks.core.api.status import Asked
from mcks.core.objects import Ref, Selector
from mcks.errors import (
    APIError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    ServerError,
    Unreachable,
)
from mcks.metrics import REQUESTS
from tests.core.api.client.common import POD, PODS, SECRET_VALUE, pod
from tests.fakes.loopback import FakeAPIServer, Handler, status


async def test_an_object_is_created_read_changed_replaced_and_deleted(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    made = (await client.create(pod())).json()
    assert made["metadata"]["uid"]
    assert server.queries[-1] == {"fieldManager": "mcks", "fieldValidation": "Strict"}
    assert (await client.get(POD))["metadata"] == made["metadata"]
    patched = (await client.patch(POD, {"metadata": {"annotations": {"a": "b"}}})).json()
    assert patched["metadata"]["annotations"] == {"a": "b"}
    assert server.headers[-1]["Content-Type"] == "application/merge-patch+json"
    patched["spec"] = {"x": 1}
    assert (await client.replace(patched)).json()["spec"] == {"x": 1}
    assert await client.delete(POD, grace_period=1, propagation="Background") is True
    assert await client.delete(POD) is False
    with pytest.raises(NotFound):
        await client.get(POD)
    assert client.requests == len(server.seen) == 7


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("jupyter-ada.2_~", "/api/v1/namespaces/ns/pods/jupyter-ada.2_~"),
        ("system:a b/c?\n", "/api/v1/namespaces/ns/pods/system%3Aa%20b%2Fc%3F%0A"),
        ("jürgen", "/api/v1/namespaces/ns/pods/j%C3%BCrgen"),
    ],
)
def test_a_name_stays_one_part_of_the_path(name: str, path: str) -> None:
    pods = built_in("v1", "Pod")
    assert pods is not None
    assert pods.path("ns", name) == path


async def test_an_address_that_is_none_is_no_answer(client: ClusterClient) -> None:
    client._transport._exchange._api.configuration.host = "https://"
    with pytest.raises(ServerUnreachable, match="cannot get Pod p in namespace ns"):
        await client.get(POD)


async def test_what_holds_itself_is_not_sent(client: ClusterClient, server: FakeAPIServer) -> None:
    endless = pod()
    endless["spec"] = endless
    with pytest.raises(RecursionError):
        await client.create(endless)
    assert server.seen == []


async def test_a_dry_run_is_asked_as_one(client: ClusterClient, server: FakeAPIServer) -> None:
    await client.create(pod(), dry_run=True)
    assert server.queries[-1]["dryRun"] == "All"


async def test_deletion_with_a_uid_leaves_another_object_of_that_name_alone(
    client: ClusterClient,
) -> None:
    made = (await client.create(pod())).json()
    assert await client.delete(POD, uid="other") is False
    assert await client.delete(POD, uid=made["metadata"]["uid"]) is True


async def test_a_list_is_read_in_pieces_and_its_items_know_their_kind(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    for number in range(5):
        server.put(f"{PODS}/p{number}", pod(f"p{number}"))
    items, version = await client.list(Selector("v1", "Pod", "ns", "a=b", "c=d"), limit=2)
    assert [item["metadata"]["name"] for item in items] == ["p0", "p1", "p2", "p3", "p4"]
    assert {(item["apiVersion"], item["kind"]) for item in items} == {("v1", "Pod")}
    assert version == str(server.version)
    assert client.requests == 3
    assert server.queries[0] == {"labelSelector": "a=b", "fieldSelector": "c=d", "limit": "2"}


async def test_one_page_of_a_list_is_gone_when_the_next_one_is_asked_for(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    """Of many clusters that are listed at once each would hold one, ten times what is kept."""
    for number in range(4):
        whole = pod(f"p{number}") | {"spec": {"marker": "whole", "containers": [{}]}}
        server.put(f"{PODS}/p{number}", whole)
    before, meanwhile = _wholes(), []

    async def look(_request: web.Request, _handler: Handler) -> web.Response | None:
        meanwhile.append(_wholes())
        return None

    server.fail_next(look, look)
    items, _ = await client.list(
        Selector("v1", "Pod", "ns"), limit=2, kept=lambda item: {"name": item["metadata"]["name"]}
    )
    assert items == [{"name": f"p{number}"} for number in range(4)]
    assert meanwhile == [before, before]


def _wholes() -> int:
    dicts = (one for one in gc.get_objects() if type(one) is dict)
    return sum(one.get("marker") == "whole" for one in dicts)


async def test_a_list_that_gets_too_old_is_begun_anew(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    for number in range(3):
        server.put(f"{PODS}/p{number}", pod(f"p{number}"))

    async def gone(request: web.Request, _handler: Handler) -> web.Response | None:
        return status(410, "Expired") if "continue" in request.query else None

    server.fail_next(gone, gone)
    items, _ = await client.list(Selector("v1", "Pod", "ns"), limit=2)
    assert len(items) == 3


async def test_only_metadata_is_asked_for_when_that_is_enough(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    await client.list(Selector("v1", "Secret", "ns"), metadata_only=True)
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
    client: ClusterClient, server: FakeAPIServer, code: int, reason: str, expected: type[APIError]
) -> None:
    server.answer_next(*(status(code, reason, "because of this") for _ in range(4)))
    with pytest.raises(expected, match="because of this") as failure:
        await client.get(POD)
    error = failure.value
    assert (error.status, error.reason) == (code, reason)
    assert str(error).startswith("cluster 'a': cannot get Pod p in namespace ns:")


async def test_an_answer_that_is_not_of_kubernetes_is_not_shown(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(web.Response(status=403, text=f"<html>{SECRET_VALUE}"))
    with pytest.raises(Forbidden, match="from a proxy") as failure:
        await client.get(POD)
    assert SECRET_VALUE not in str(failure.value)


async def test_the_sdk_may_raise_for_errors_instead_of_returning_them(
    client: ClusterClient, server: FakeAPIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Releases of kubernetes_asyncio differ in this; both kinds must work."""
    from kubernetes_asyncio.client import rest

    original = rest.RESTClientObject.request

    async def raising(self: rest.RESTClientObject, *args: Any, **kwargs: Any) -> Any:
        response = await original(self, *args, **kwargs)
        if response.status >= 400:
            data = await response.read()
            answer: Any = rest.RESTResponse(response, data)
            raise rest.ApiException(http_resp=answer)
        return response

    monkeypatch.setattr(rest.RESTClientObject, "request", raising)
    with pytest.raises(NotFound, match="not found"):
        await client.get(POD)
    server.tokens = {"token-2"}
    server.put(f"{PODS}/p", pod())
    assert await client.get(POD)


ODD = [web.Response(text="<html>Welcome</html>"), web.json_response({}), web.json_response([])]


@pytest.mark.parametrize("number", range(3))
async def test_a_success_that_kubernetes_did_not_say_is_none(
    client: ClusterClient, server: FakeAPIServer, number: int
) -> None:
    made = (await client.create(pod())).json()
    for verb in (client.get(POD), client.list(Selector("v1", "Pod", "ns")), client.delete(POD)):
        server.answer_next(copy.copy(ODD[number]))
        with pytest.raises(Unreachable, match="not in Kubernetes' words"):
            await verb
    assert (await client.get(POD))["metadata"]["uid"] == made["metadata"]["uid"]


async def test_a_list_without_a_version_is_not_taken_for_an_empty_one(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(web.json_response({"kind": "PodList", "metadata": {}, "items": []}))
    with pytest.raises(Unreachable, match="no list"):
        await client.list(Selector("v1", "Pod", "ns"))


HTTPROUTE = Ref("gateway.networking.k8s.io/v1", "HTTPRoute", "r", "ns")

GROUP = "/apis/gateway.networking.k8s.io/v1"


async def test_other_kinds_are_discovered_once(
    client: ClusterClient, server: FakeAPIServer
) -> None:
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
    namespaced = await asyncio.gather(
        client.namespaced(HTTPROUTE.api_version, "HTTPRoute"),
        client.namespaced(HTTPROUTE.api_version, "GatewayClass"),
    )
    assert list(namespaced) == [True, False]
    await client.create(route)
    assert server.seen == [("GET", GROUP), ("POST", f"{GROUP}/namespaces/ns/httproutes")]


async def test_a_kind_that_is_not_there_is_said_and_asked_for_again(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    for _ in range(2):
        with pytest.raises(NotFound, match=r"no kind HTTPRoute in .*custom resource definitions"):
            await client.get(HTTPROUTE)
    assert server.seen == [("GET", GROUP)] * 2
    assert await client.delete(HTTPROUTE) is False


async def test_a_failed_discovery_is_not_remembered(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(*(status(403, "Forbidden") for _ in range(1)))
    with pytest.raises(Forbidden, match="find the kinds"):
        await client.get(HTTPROUTE)
    with pytest.raises(NotFound):
        await client.get(HTTPROUTE)


async def test_built_in_kinds_need_no_discovery(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    assert await client.namespaced("rbac.authorization.k8s.io/v1", "RoleBinding")
    assert not await client.namespaced("v1", "Namespace")
    assert server.seen == []


async def test_raw_paths_and_logs_are_read(client: ClusterClient, server: FakeAPIServer) -> None:
    server.answer_next(web.Response(text="ok"), web.Response(text="last\nlines\n"))
    assert await client.raw_get("/readyz") == b"ok"
    assert await client.logs(POD, "notebook", tail_lines=5) == "last\nlines\n"
    assert server.seen[-1] == ("GET", f"{PODS}/p/log")
    assert server.queries[-1]["tailLines"] == "5"


def review(kind: str, **answer: Any) -> dict[str, Any]:
    return {"kind": kind, "status": answer}


async def test_reviews_ask_what_the_hub_may_do_and_who_it_is(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    asked = []

    async def allow(request: web.Request, _handler: Handler) -> web.Response:
        asked.append(await request.json())
        return web.json_response(review("SelfSubjectAccessReview", allowed=True))

    async def me(_request: web.Request, _handler: Handler) -> web.Response:
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


async def test_metrics_count_requests_by_cluster_verb_and_status(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    before = REQUESTS.counted("a", "get", "404")
    with pytest.raises(NotFound):
        await client.get(POD)
    assert REQUESTS.counted("a", "get", "404") == before + 1


async def test_a_conflicting_deletion_without_a_uid_is_an_error(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(status(409, "Conflict"))
    with pytest.raises(Conflict):
        await client.delete(POD)


def test_neither_a_request_nor_an_answer_shows_its_body() -> None:
    asked = Asked("a", "create Secret s", "Secret")
    request = Request(CREATE, "/api/v1/secrets", asked, body={"token": SECRET_VALUE})
    answer = Answer(asked, 201, {}, SECRET_VALUE.encode())
    assert SECRET_VALUE not in f"{request!r} {answer!r} {request} {answer}"


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind":"Pod","apiVersion":"v1"}',
        b'{\n  "apiVersion": "example.org/v1",\n  "kind": "Widget"}',
        b'{"metadata":{},"kind":"Pod"}',
    ],
)
def test_an_answer_of_kubernetes_is_known_as_such_however_it_is_written(body: bytes) -> None:
    answer = Answer(Asked("c", "look"), 200, {}, body)
    assert answer.check() is answer
    assert answer.json()["kind"]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b'{"error": "kind"}', b'{"kind": null}', b'{"kind":""}'],
)
def test_an_answer_of_somebody_in_between_is_none_of_kubernetes(body: bytes) -> None:
    answer = Answer(Asked("c", "look"), 200, {}, body)
    for read in (answer.check, answer.json):
        with pytest.raises(NotKubernetes):
            read()
