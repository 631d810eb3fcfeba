"""An address of the hub is judged by what Pods of another cluster could do with it."""

from __future__ import annotations

import pytest

from mcks.core.checking.hub_address import said, unsaid


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://hub.example.org", None),
        ("http://192.0.2.7:8081", None),
        ("http://[2001:db8::1]:8081", None),
        ("http://hub.jhub.svc.cluster.local:8081", None),
        ("hub.example.org", "MCKS023"),
        ("hub:8081", "MCKS023"),
        ("http://", "MCKS023"),
        ("http://h.example.org:99999", "MCKS023"),
        ("http://127.3.2.1:8081", "MCKS024"),
        ("http://LOCALHOST.", "MCKS024"),
        ("http://[::]:8081", "MCKS024"),
        ("http://hub:8081", "MCKS026"),
    ],
)
def test_an_address_that_somebody_wrote(url: str, code: str | None) -> None:
    found = said(url, "c.Spawner.hub_connect_url")
    assert (found and found.code) == code


def test_a_short_name_is_good_inside_the_hubs_own_cluster() -> None:
    assert said("http://hub:8081", "here", inside=True) is None
    assert unsaid("http://hub:8081", "here", inside=True) is None
    assert unsaid("http://127.0.0.1:8081", "here", inside=True) is not None


def test_a_password_is_not_shown() -> None:
    for url in ("https://me:s3cret@hub.example.org", "me:s3cret@hub", "ftp://me:s3cret@hub"):
        assert "s3cret" not in str(said(url, "here"))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:8081/hub/api", True),
        ("http://machine:8081/hub/api", True),
        ("http://192.0.2.7:8081/hub/api", False),
        ("http://hub.example.org:8081/hub/api", False),
    ],
)
def test_where_the_hub_listens_counts_if_nobody_says_another(url: str, told: bool) -> None:
    found = unsaid(url, "clusters['a']")
    assert (found is not None and found.code == "MCKS025") == told
