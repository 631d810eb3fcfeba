"""A server starts where its user's data is, and elsewhere only if administrator and user let it."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.labels import LIFETIME
from mcks.core.objects import Manifest, Ref
from mcks.core.placement import data_guard
from mcks.core.placement.data_guard import Consent
from mcks.core.servers.state import UserObject
from mcks.errors import ChoiceRefused, DataElsewhere

CLAIM = "PersistentVolumeClaim"
BOUND = [Consent("stay"), Consent("stay", agreed=True), Consent("ask")]
FREE = [Consent("ask", agreed=True), Consent("ignore"), Consent("ignore", agreed=True)]


def datum(cluster: str, name: str = "home", kind: str = CLAIM) -> UserObject:
    return UserObject(cluster, Ref("v1", kind, name, "ns"))


def claim(name: str = "home", lifetime: str = "user", kind: str = CLAIM) -> Manifest:
    meta: dict[str, Any] = {"name": name, "annotations": {LIFETIME: lifetime}}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta}


@pytest.mark.parametrize("consent", BOUND + FREE)
def test_without_data_the_order_stays(consent: Consent) -> None:
    assert data_guard.guarded(["a", "b"], [], consent) == ["a", "b"]


@pytest.mark.parametrize("consent", FREE)
def test_data_only_decides_the_order_if_nobody_minds(consent: Consent) -> None:
    assert data_guard.guarded(["a", "b", "c"], ["c", "z"], consent) == ["c", "a", "b"]
    assert data_guard.guarded(["a", "b"], ["z"], consent) == ["a", "b"]


@pytest.mark.parametrize("consent", BOUND)
def test_a_server_with_data_never_starts_elsewhere_unasked(consent: Consent) -> None:
    assert data_guard.guarded(["a", "b", "c"], ["c"], consent) == ["c"]
    assert data_guard.guarded(["a", "b", "c"], ["c", "z", "a"], consent) == ["c", "a"]
    with pytest.raises(DataElsewhere):
        data_guard.guarded(["a", "b"], ["z"], consent)
    assert data_guard.guarded([], ["z"], consent) == []


def test_data_used_last_is_nearest() -> None:
    assert data_guard.homes([datum("a"), datum("b"), datum("a", "more")]) == ["a", "b"]
    assert data_guard.near(["a", "b", "c"], ["c", "b"]) == ["c", "b", "a"]


def test_a_refusal_says_where_the_data_is_and_what_to_do() -> None:
    with pytest.raises(DataElsewhere) as stay:
        data_guard.guarded(["b"], ["a", "context:gke"], Consent("stay"))
    assert isinstance(stay.value, ChoiceRefused)
    assert stay.value.jupyterhub_message == (
        "Your data is in a and gke, and not in b. Choose to start where it is, or try again when "
        "that is possible."
    )
    assert not stay.value.may_agree
    with pytest.raises(DataElsewhere) as ask:
        data_guard.guarded(["context:eks"], ["a"], Consent("ask"))
    assert ask.value.jupyterhub_message == (
        "Your data is in a, and not in eks. Choose to start where it is, or say in the form that "
        'this server may start without it. (In the API, that is the option "mcks-data": '
        '"elsewhere".)'
    )
    assert ask.value.may_agree


@pytest.mark.parametrize("kind", ["Namespace", "Secret", "ServiceAccount"])
def test_only_claims_are_data(kind: str) -> None:
    assert data_guard.homes([datum("a", kind=kind)]) == []
    assert data_guard.used([datum("a", kind=kind)], [claim(kind=kind)], "b") == []


def test_data_counts_only_for_servers_that_have_a_claim_of_its_name() -> None:
    data = [datum("a"), datum("a", "other")]
    assert data_guard.used(data, [claim()], "b") == [datum("a")]
    assert data_guard.used(data, [claim(lifetime="server"), claim(lifetime="keep")], "b") == []
    assert data_guard.used(data, [], "b") == []


def test_a_claim_may_be_called_after_its_cluster() -> None:
    data = [datum("west", "home-west-ada")]
    assert data_guard.used(data, [claim("home-east-ada")], "east") == data
    assert data_guard.used(data, [claim("home-east-bob")], "east") == []


def test_a_server_without_volumes_starts_anywhere_and_says_nothing() -> None:
    assert data_guard.checked("b", [claim(kind="Secret")], [datum("a")], Consent("stay")) == ""


def test_a_refusal_ends_the_tries_unless_the_right_data_may_be_in_the_next_cluster() -> None:
    data = [datum("b", "other"), datum("a")]
    with pytest.raises(DataElsewhere) as one:
        data_guard.checked("b", [claim()], data, Consent("stay"))
    assert one.value.elsewhere
    with pytest.raises(DataElsewhere) as one:
        data_guard.checked("c", [claim()], data, Consent("stay"))
    assert not one.value.elsewhere


def test_a_start_elsewhere_is_told() -> None:
    said = data_guard.checked("b", [claim()], [datum("a")], Consent("ignore"))
    assert said == "Your data is in a. This server starts in b without it"
    assert data_guard.checked("a", [claim()], [datum("a")], Consent("stay")) == ""
    with pytest.raises(DataElsewhere, match="Your data is in a, and not in b"):
        data_guard.checked("b", [claim()], [datum("a")], Consent("ask"))
