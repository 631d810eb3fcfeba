from __future__ import annotations

import json

from mcks.core import state
from mcks.core.apply import Created
from mcks.core.objects import Ref


def test_a_running_server_is_saved_by_names_alone_and_found_again() -> None:
    created = Created("k", "ns", "hub", {"Pod": "uid", "Secret": "uid"})
    created.unowned = [Ref("v1", "Namespace", "x")]
    saved = json.loads(json.dumps(state.save(created, "gcp", "https://g", "")))
    loaded = state.load(saved, "hub")
    assert loaded.created is not None
    assert (loaded.created.key, loaded.created.namespace) == ("k", "ns")
    assert loaded.created.uids == {"Pod": None}
    assert loaded.created.unowned == [Ref("v1", "Namespace", "x")]
    assert (loaded.cluster, loaded.url) == ("gcp", "https://g")


def test_state_is_small() -> None:
    created = Created("jupyter-" + "a" * 55, "jupyterhub", "hub", {"Pod": "u", "Secret": "u"})
    saved = state.save(created, "gcp-us-central1", "https://gateway.example.org:8443", "")
    assert len(json.dumps(saved)) <= 400


def test_a_stopped_server_is_nothing_unless_data_hangs_on_its_name() -> None:
    assert state.save(None, "gcp", "", "") == {}
    assert state.save(None, "gcp", "", "k") == {"kept_key": "k"}
    assert state.load({"kept_key": "k"}, "").kept_key == "k"
    assert state.load({}, "") == state.Loaded()


def test_a_running_server_that_keeps_data_will_keep_its_key() -> None:
    created = Created("k", "ns", keeps_data=True)
    assert state.load(state.save(created, "c", "u", ""), "").kept_key == "k"


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
    assert loaded.created.unowned == [Ref("v1", "Service", "jupyter-ada", "jupyter-ada")]
    assert (loaded.cluster, loaded.url) == ("context:gke", "http://10.0.0.1")
    again = state.save(loaded.created, loaded.cluster, loaded.url, loaded.kept_key)
    assert "s3cret" not in json.dumps(again)


def test_the_originals_first_state_has_no_namespace() -> None:
    loaded = state.load({"key": "jupyter-ada", "kubernetes_context": "gke"}, "")
    assert loaded.created is not None
    assert loaded.created.namespace == "default"
    assert {where.kind for where in loaded.created.unowned} == {
        "Service",
        "Ingress",
        "ServiceAccount",
    }
