"""What is known by names: who has which, and what the hub knows of a cluster."""

from __future__ import annotations

import pytest

from mcks.core.knowledge.index import Index, Row
from mcks.core.objects import Ref
from mcks.core.placement.counting import Scope
from mcks.core.servers.server import Created
from mcks.core.servers.state import State, UserObject

HOME = UserObject("a", Ref("v1", "PersistentVolumeClaim", "home-ada", "ns"))
ROLE = Ref("rbac.authorization.k8s.io/v1", "ClusterRole", "jupyter-ada")
ADA, NEW = 1, 2


def running(key: str = "jupyter-ada", *data: UserObject) -> Row:
    created = Created(key, "ns", "h", {"Pod": f"uid-{key}"}, (ROLE,))
    return Row(ADA, True, State(created, "a", "https://a", data=data))


@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize(
    ("cluster", "key", "namespace", "data", "held"),
    [
        ("a", "jupyter-ada", "ns", [], True),
        ("b", "jupyter-ada", "ns", [], False),
        ("a", "jupyter-ada", "elsewhere", [], False),
        ("a", "jupyter-ad", "ns", [], False),
        ("a", "jupyter_ada", "ns", [], False),
        ("a", "x", "ns", [HOME.where], True),
        ("a", "x", "ns", [Ref("v1", "PersistentVolumeClaim", "home-ada", None)], True),
        ("a", "x", "elsewhere", [Ref("v1", "PersistentVolumeClaim", "home-ada", None)], False),
        ("a", "x", "ns", [Ref("v1", "ConfigMap", "home-ada", "ns")], False),
        ("b", "x", "ns", [HOME.where], False),
    ],
)
def test_names_that_another_user_holds_are_found(  # noqa: PLR0917
    runs: bool, cluster: str, key: str, namespace: str, data: list[Ref], held: bool
) -> None:
    index = Index()
    index.put(7, Row(ADA, runs, running("jupyter-ada", HOME).remembered))
    created = Created(key, namespace)
    assert list(index.others(NEW, cluster, created, data)) == [7] * held
    assert not index.others(ADA, cluster, created, data)


def test_servers_that_run_are_known_and_the_data_of_all() -> None:
    index = Index()
    index.put(1, running())
    index.put(2, Row(ADA, False, running("jupyter-two", HOME).remembered))
    assert ("a", "ns", "jupyter-ada") in index.servers
    assert ("a", "ns", "jupyter-two") not in index.servers
    assert "uid-jupyter-ada" in index.uids
    assert "uid-jupyter-two" not in index.uids
    assert ("a", ROLE) in index.unowned
    assert ("a", HOME.where) in index.data


def test_a_name_is_known_until_the_last_row_that_has_it_is_gone() -> None:
    index = Index()
    for row_id in (1, 2):
        assert index.put(row_id, running("jupyter-ada", HOME, HOME))
        assert not index.put(row_id, running("jupyter-ada", HOME, HOME))
    assert index.put(1, None)
    assert ("a", HOME.where) in index.data
    assert ("a", "ns", "jupyter-ada") in index.servers
    index.put(2, running("jupyter-eve"))
    assert ("a", HOME.where) not in index.data
    assert ("a", "ns", "jupyter-ada") not in index.servers
    assert index.ids() == [2]
    assert not index.put(1, None)


def test_a_namespace_is_a_place_while_a_server_runs_there_or_data_is_there() -> None:
    index = Index()
    other = UserObject("b", Ref("v1", "PersistentVolumeClaim", "home-ada", "homes"))
    anywhere = UserObject("b", Ref("v1", "PersistentVolume", "home-ada"))
    assert index.places("a") == set()
    index.put(1, running("jupyter-ada", other, anywhere))
    index.put(2, running("jupyter-eve"))
    assert (index.places("a"), index.places("b")) == ({"ns"}, {"homes"})
    index.put(1, Row(ADA, False, running("jupyter-ada", other).remembered))
    assert (index.places("a"), index.places("b")) == ({"ns"}, {"homes"})
    index.put(2, Row(ADA, False, running("jupyter-eve").remembered))
    assert (index.places("a"), index.places("b")) == (set(), {"homes"})
    index.put(1, None)
    assert (index.places("a"), index.places("b")) == (set(), set())


def test_servers_that_run_are_counted_by_cluster_by_profile_and_by_user() -> None:
    index = Index()
    small = running("jupyter-ada").remembered._replace(profile="small")
    index.put(1, Row(ADA, True, small))
    index.put(2, Row(ADA, True, small._replace(cluster="b")))
    index.put(3, Row(NEW, True, small._replace(profile="")))
    index.put(4, Row(NEW, False, small))
    index.put(5, Row(NEW, True, State(cluster="a", profile="small")))  # it begins to start
    assert index.count(Scope(cluster="a")) == 2
    assert index.count(Scope(profile="small")) == 2
    assert index.count(Scope(cluster="a", user_id=ADA)) == 1
    assert index.count(Scope(profile="small", user_id=ADA)) == 2
    assert index.count(Scope(profile="small", user_id=NEW)) == 0
    assert [index.counts(row, Scope(cluster="a")) for row in (1, 2, 3, 4, 5, 6)] == [
        *(True, False, True),
        *(False, False, False),
    ]
    assert not index.counts(object(), Scope())
    index.put(1, Row(ADA, False, small))
    index.put(2, None)
    assert index.count(Scope(cluster="a")) == 1
    assert index.count(Scope(profile="small")) == index.count(Scope(cluster="b")) == 0
    assert index.count(Scope(cluster="a", user_id=ADA)) == 0
