"""What of a kubeconfig's entry is its credential's rotation, and what makes it another entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcks.auth.service_account import InCluster
from mcks.backends.kubeconfig import Context, Entry
from mcks.backends.kubeconfig_edits import is_edited

_USER = {"token": "T1"}
_CLUSTER = {"server": "https://a.example.org", "certificate-authority-data": "eA=="}
_EXEC = {"exec": {"command": "aws", "args": ["eks", "get-token"]}}


def context(
    user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None, folder: str = "/etc"
) -> Context:
    """Make an entry as a file in *folder* has it."""
    file = Path(folder) / "kubeconfig"
    fields = _CLUSTER if cluster is None else cluster
    login = None if user is None else Entry("u", "users", file, user)
    return Context("x", Entry("c", "clusters", file, fields), login, "ns")


def provider(name: str = "gcp", **config: str) -> dict[str, Any]:
    return {"auth-provider": {"name": name, "config": config}}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (_USER, {"token": "T2"}),
        (_USER, {"token": "T2", "tokenFile": ""}),
        (
            {"client-certificate-data": "a", "client-key-data": "b"},
            {"client-certificate-data": "c", "client-key-data": "d"},
        ),
        (provider(**{"access-token": "a", "expiry": "1"}), provider(**{"access-token": "b"})),
        (None, None),
    ],
)
def test_a_new_value_of_a_credential_is_a_rotation(
    before: dict[str, Any] | None, now: dict[str, Any] | None
) -> None:
    assert not is_edited(context(before), context(now))


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (_USER, {"token": "ADMIN", "as": "limited"}),
        ({"token": "T", "as": "limited"}, _USER),
        ({"token": "T", "as": "a"}, {"token": "T", "as": "b"}),
        (_USER, {"username": "u", "password": "p"}),
        ({"username": "u", "password": "p"}, {"username": "u", "password": "q"}),
        (_USER, {"tokenFile": "/token"}),
        ({"tokenFile": "/token"}, {"tokenFile": "/other"}),
        (_USER, _EXEC),
        (_EXEC, {"exec": _EXEC["exec"] | {"args": ["eks", "get-token", "--profile", "p"]}}),
        (provider("gcp"), provider("azure")),
        (_USER, {}),
        (_USER, None),
    ],
)
def test_another_way_to_log_in_is_an_edit(
    before: dict[str, Any] | None, now: dict[str, Any] | None
) -> None:
    assert is_edited(context(before), context(now))


@pytest.mark.parametrize(
    "change",
    [
        {"server": "https://b.example.org"},
        {"certificate-authority-data": "eQ=="},
        {"tls-server-name": "api"},
        {"proxy-url": "http://proxy"},
        {"insecure-skip-tls-verify": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_way_to_the_cluster_is_an_edit(change: dict[str, Any]) -> None:
    assert is_edited(context(_USER), context(_USER, _CLUSTER | change))


def test_paths_are_others_in_another_folder() -> None:
    assert is_edited(context(_USER), context(_USER, folder="/home"))


def test_the_hubs_own_cluster_is_another_entry_than_a_context() -> None:
    inside = InCluster("https://10.0.0.1:443", Path("token"), Path("ca.crt"), "ns")
    assert is_edited(context(_USER), inside)
    assert not is_edited(inside, inside)
