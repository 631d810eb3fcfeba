"""Patches that are made of a difference make one object of the other."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcks.core.writing.difference import UNKNOWN, made_of, patches

NAMES = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.sampled_from(["x", "y", "z"])
MAPS = st.dictionaries(NAMES, TEXTS, max_size=3)


def _named(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, max_size=3, unique_by=lambda element: element["name"])


CONTAINERS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "image": TEXTS,
        "args": st.lists(TEXTS, max_size=2),
        "securityContext": st.fixed_dictionaries({}, optional={"runAsUser": st.integers(0, 2)}),
        "resources": st.fixed_dictionaries({}, optional={"limits": MAPS, "requests": MAPS}),
        "env": _named(st.fixed_dictionaries({"name": NAMES, "value": TEXTS})),
    },
)
SPECS = st.fixed_dictionaries(
    {"containers": _named(CONTAINERS)},
    optional={
        "nodeSelector": MAPS,
        "tolerations": st.lists(st.fixed_dictionaries({"key": TEXTS}), max_size=2),
        "volumes": _named(st.fixed_dictionaries({"name": NAMES, "emptyDir": st.just({})})),
        "hostNetwork": st.booleans(),
    },
)


def pod(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


@given(SPECS, SPECS)
def test_any_pod_can_be_made_of_any_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    changes = patches(pod(before), pod(after))
    assert _without_empty(made_of(pod(before), changes)) == _without_empty(pod(after))


def _without_empty(value: Any) -> Any:
    """Merging may leave a list or dict that has become empty."""
    if isinstance(value, dict):
        kept = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ([], {})}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def test_alike_objects_need_no_patch() -> None:
    assert patches(pod({"hostNetwork": True}), pod({"hostNetwork": True})) == []


def test_what_is_unknown_is_replaced_whatever_it_is() -> None:
    before = pod({"nodeSelector": {UNKNOWN: UNKNOWN}, "volumes": [{"name": UNKNOWN}]})
    after = pod({"nodeSelector": {"a": "1"}, "volumes": [{"name": "v"}]})
    real = pod({"nodeSelector": {"b": "2"}, "volumes": [{"name": "w"}]})
    assert made_of(real, patches(before, after)) == after
    assert made_of(pod({}), patches(before, after)) == after


def test_what_is_unknown_and_stays_is_left_alone() -> None:
    before = pod({"nodeSelector": {UNKNOWN: UNKNOWN}})
    after = pod({"nodeSelector": {UNKNOWN: UNKNOWN, "a": "1"}})
    real = pod({"nodeSelector": {"b": "2"}})
    assert made_of(real, patches(before, after)) == pod({"nodeSelector": {"a": "1", "b": "2"}})


def test_a_container_that_others_may_have_is_made_anew() -> None:
    before = pod({"containers": [{"name": "n"}, {"name": "s", UNKNOWN: UNKNOWN}]})
    after = pod({"containers": [{"name": "n"}, {"name": "s", "image": "i"}]})
    changes = patches(before, after)
    for known in ({"name": "s", "tty": True}, {"name": "t"}):
        found = made_of(pod({"containers": [{"name": "n"}, known]}), changes)
        assert found["spec"]["containers"][:2] == after["spec"]["containers"]
