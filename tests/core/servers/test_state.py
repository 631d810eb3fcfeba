"""What is saved of a server is found again."""

from __future__ import annotations

import json

import pytest

from mcks.core.labels import DELETE_ON_STOP
from mcks.core.objects import Ref
from mcks.core.servers import state
from mcks.core.servers.server import Created
from mcks.core.servers.state import State, UserObject

HOME = Ref("v1", "PersistentVolumeClaim", "home", "ns")


def again(known: State) -> State:
    return state.load(json.loads(json.dumps(state.save(known))), "hub")


def test_a_running_server_is_saved_by_names_alone_and_found_again() -> None:
    created = Created("k", "ns", "hub", {"Pod": "uid", "Secret": "uid"})
    created.unowned = (Ref("v1", "Namespace", "x"),)
    loaded = again(State(created, "gcp", "https://g"))
    assert loaded.created is not None
    assert (loaded.created.key, loaded.created.namespace) == ("k", "ns")
    assert loaded.created.uids == {"Pod": "uid"}
    assert loaded.created.unowned == (Ref("v1", "Namespace", "x"),)
    assert (loaded.cluster, loaded.url) == ("gcp", "https://g")


@pytest.mark.parametrize(("theirs", "ours"), [("h", ""), ("", "h"), ("g", "h")])
def test_another_hubs_pod_is_not_known_by_its_uid(theirs: str, ours: str) -> None:
    saved = state.save(State(Created("k", "ns", theirs, {"Pod": "uid"}), "gcp"))
    loaded = state.load(saved, ours)
    assert loaded.created is not None
    assert loaded.created.uids == {"Pod": None}


def test_state_is_small() -> None:
    uid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    created = Created("jupyter-" + "a" * 55, "jupyterhub", "hub", {"Pod": uid, "Secret": uid})
    saved = state.save(State(created, "gcp-us-central1", "https://gateway.example.org:8443"))
    assert len(json.dumps(saved)) <= 400


def test_a_stopped_server_is_nothing_unless_data_hangs_on_its_name() -> None:
    assert state.save(State(cluster="gcp")) == {}
    assert state.save(State(cluster="gcp", kept_key="k")) == {"kept_key": "k"}
    assert state.load({"kept_key": "k"}, "").kept_key == "k"
    assert state.load({}, "") == State()


def test_a_running_server_that_keeps_data_will_keep_its_key() -> None:
    created = Created("k", "ns", keeps_data=True)
    assert again(State(created, "c", "u")).kept_key == "k"


def test_data_is_remembered_with_its_cluster_also_when_no_server_runs() -> None:
    data = (UserObject("gcp", HOME), UserObject("aws", HOME, of_server=True))
    assert again(State(data=data)).data == data
    assert again(State(Created("k", "ns"), "gcp", "u", data=data)).data == data


def test_why_a_server_ended_is_remembered() -> None:
    assert again(State(ended="It needed more memory.")).ended == "It needed more memory."


def test_the_originals_state_is_understood_and_its_token_dropped() -> None:
    place = {"name": "jupyter-ada", "namespace": "jupyter-ada"}
    saved = {
        "key": "jupyter-ada",
        "kubernetes_context": "gke",
        "ingress_public_url ": "http://10.0.0.1/",
        "created_resources": [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "jupyter-ada"}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": place, "token": "s3cret"},
            {"apiVersion": "v1", "kind": "Service", "metadata": place},
        ],
    }
    loaded = state.load(saved, "hub")
    assert loaded.created is not None
    assert loaded.created.namespace == "jupyter-ada"
    assert loaded.created.unowned == (Ref("v1", "Service", "jupyter-ada", "jupyter-ada"),)
    assert (loaded.cluster, loaded.url) == ("context:gke", "http://10.0.0.1")
    assert "s3cret" not in json.dumps(state.save(loaded))


def test_what_the_original_kept_is_the_users_data() -> None:
    kept = {"name": "home", "namespace": "ns", "labels": {DELETE_ON_STOP: "false"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "k", "namespace": "ns"}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": kept}
    saved = {"key": "k", "kubernetes_context": "gke", "created_resources": [pod, claim]}
    loaded = state.load(saved, "")
    assert loaded.data == (UserObject("context:gke", HOME),)
    assert loaded.kept_key == "k"
    assert loaded.created is not None
    assert HOME not in loaded.created.unowned


def test_the_originals_first_state_has_no_namespace() -> None:
    loaded = state.load({"key": "jupyter-ada", "kubernetes_context": "gke"}, "")
    assert loaded.created is not None
    assert loaded.created.namespace == "default"
    assert {where.kind for where in loaded.created.unowned} == {
        "Service",
        "Ingress",
        "ServiceAccount",
    }


def test_a_saved_state_is_the_same_text_as_ever() -> None:
    created = Created("k", "ns", "hub", {"Secret": "s", "Pod": "uid"}, keeps_data=True)
    created.unowned = (Ref("v1", "Namespace", "x"),)
    data = (UserObject("gcp", HOME), UserObject("aws", HOME, of_server=True))
    home = '["v1", "PersistentVolumeClaim", "home", "ns"'
    saved = state.save(State(created, "gcp", "https://g", data=data, ended="It was evicted."))
    assert json.dumps(saved) == (
        '{"cluster": "gcp", "namespace": "ns", "key": "k", "url": "https://g", "uid": "uid", '
        '"hub": "hub", "unowned": [["v1", "Namespace", "x", null]], "kept_key": "k", '
        f'"data": [["gcp", {home[1:]}, false], ["aws", {home[1:]}, true]], '
        '"ended": "It was evicted."}'
    )


def test_a_forgotten_server_leaves_its_data_its_cluster_and_how_it_ended() -> None:
    data = (UserObject("gcp", HOME),)
    running = State(Created("k", "ns"), "gcp", "https://g", "older", data, "It was evicted.")
    stopped = State(None, "gcp", "", "older", data, "It was evicted.")
    assert running.without_server() == stopped
    assert stopped.without_server() == stopped


def test_a_forgotten_server_on_whose_name_data_hangs_leaves_its_key() -> None:
    assert State(Created("k", "ns", keeps_data=True)).without_server() == State(kept_key="k")


def test_what_is_said_of_data_last_counts_and_what_is_deleted_is_forgotten() -> None:
    users, servers = UserObject("gcp", HOME), UserObject("gcp", HOME, of_server=True)
    elsewhere = UserObject("aws", HOME)
    known = State(data=(users, elsewhere)).with_data([servers])
    assert known.data == (servers, elsewhere)
    assert known.without_data({servers, users}).data == (elsewhere,)


def test_an_administrator_finds_a_server_by_what_is_said_of_its_place() -> None:
    running = State(Created("k", "ns"), "gcp")
    assert running.where() == "k in namespace ns of cluster 'gcp'"
    assert running.without_server().where() == "nothing"


@pytest.mark.parametrize("route", ["service", "pod"])
def test_a_way_without_a_gateway_is_remembered(route: str) -> None:
    known = State(Created("k", "ns"), "here", "http://10.1.0.8:8888", route=route)
    assert again(known).route == route
    assert known.without_server().route == "ingress"


def test_a_server_of_a_former_release_has_come_through_a_gateway() -> None:
    saved = state.save(State(Created("k", "ns"), "gcp", "https://g"))
    assert "route" not in saved
    assert again(State(Created("k", "ns"), "gcp", "https://g")).route == "ingress"


def test_data_where_a_server_has_started_is_the_last() -> None:
    a, b = UserObject("a", HOME), UserObject("b", HOME)
    known = State(Created("k", "ns"), "a", data=(a, b), ended="too much memory")
    started = known.started("https://a")
    assert started.data == (b, a)
    assert (started.url, started.ended) == ("https://a", "")
    assert again(started).data == (b, a)


def test_what_others_may_use_is_shared_and_so_is_what_a_start_is_making() -> None:
    own, shared = UserObject("a", HOME, of_server=True), UserObject("b", HOME)
    making = HOME._replace(name="new")
    known = State(Created("k", "ns", data=(making,)), "c", data=(own, shared))
    assert known.shared == [shared, UserObject("c", making)]
    assert known.without_server().shared == [shared]


def test_a_profile_and_how_long_its_server_may_live_are_found_again() -> None:
    running = State(Created("k", "ns"), "c", "u", profile="large", max_age=28800)
    assert (again(running).profile, again(running).max_age) == ("large", 28800)
    assert state.save(State(Created("k", "ns"), "c")).keys().isdisjoint({"profile", "max_age"})
    stopped = running.without_server()
    assert (stopped.profile, stopped.max_age) == ("", None)
    assert state.save(stopped) == {}
