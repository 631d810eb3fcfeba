"""Names are DNS-safe, stable and different for different users."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcks.core.names import dns_label, escape, is_dns_label


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("ada", "ada"),
        ("Ada", "-41da"),
        ("ada.l@example.org", "ada-2el-40example-2eorg"),
        ("a-b", "a-2db"),
        ("é", "-c3-a9"),
        ("", ""),
    ],
)
def test_names_are_escaped_as_the_original_spawner_does(name: str, escaped: str) -> None:
    assert escape(name) == escaped


@given(st.text(), st.text())
def test_distinct_names_stay_distinct(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)


@given(st.text(min_size=1), st.text())
def test_every_user_and_server_gets_a_valid_label(user: str, server: str) -> None:
    label = dns_label(f"jupyter-{escape(user)}--{escape(server)}", ("", user, server))
    assert is_dns_label(label)


def test_short_valid_names_are_the_originals_own() -> None:
    assert dns_label("jupyter-ada--", ("", "ada", "")) == "jupyter-ada"
    assert dns_label("jupyter-ada--gpu", ("", "ada", "gpu")) == "jupyter-ada--gpu"


def test_names_cut_at_the_same_place_differ_by_their_hash() -> None:
    long = "jupyter-" + "a" * 80
    one, other = dns_label(long + "x", ("", "x", "")), dns_label(long + "y", ("", "y", ""))
    assert one != other
    assert re.fullmatch(r"jupyter-a+-h[0-9a-f]{10}", one)
    assert len(one) <= 63


def test_the_same_user_on_two_hubs_gets_two_names() -> None:
    long = "jupyter-" + "a" * 80
    assert dns_label(long, ("one", "a", "")) != dns_label(long, ("two", "a", ""))


def test_a_name_that_begins_with_a_digit_becomes_a_label() -> None:
    assert is_dns_label(dns_label("1st-user", ("", "1st", "")))
    assert is_dns_label(dns_label("---", ("", "-", "")))
