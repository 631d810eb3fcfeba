"""What cannot reach the container is refused by name before anything is sent."""

from __future__ import annotations

import base64
import subprocess
from typing import Any

import pytest

from mcks.core.manifests import limits
from mcks.errors import ConfigError


def refused(secret: dict[str, Any], *entries: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        limits.check(secret, entries)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["MY VAR", "", "A=B", "Ü", ".", "..", "..A", "A/B", "x" * 254, "A\n", 7, None]
)
def test_a_name_that_a_secret_cannot_hold_is_refused(name: Any) -> None:
    message = refused({"stringData": {name: "s3cret"}})
    assert message.startswith(f"environment: {name!r} cannot be a variable's name")
    assert "s3cret" not in message
    assert f"environment: {name!r}" in refused({}, {"name": name, "value": "$(A)"})


@pytest.mark.parametrize("name", ["A", "_", "a.b-c", "1A", ".A", "x" * 253])
def test_names_that_a_secret_holds_are_taken(name: str) -> None:
    limits.check({"stringData": {name: "x"}}, [{"name": name, "valueFrom": {}}])


def test_the_longest_value_is_the_kernels() -> None:
    fits = "x" * (limits.LONGEST - len("A=") - 1)
    subprocess.run(["/bin/true"], env={"A": fits}, check=True)
    limits.check({"stringData": {"A": fits}}, [])
    with pytest.raises(OSError, match="Argument list too long"):
        subprocess.run(["/bin/true"], env={"A": fits + "x"}, check=True)
    message = refused({"stringData": {"A": fits + "x"}})
    assert message.startswith("environment['A'] has 131073 bytes with its name")
    assert "xx" not in message
    assert "environment['A'] has" in refused(
        {}, {"name": "A", "value": "é" * (limits.LONGEST // 2)}
    )
    encoded = base64.b64encode((fits + "x").encode()).decode()
    assert "environment['A'] has 131073" in refused({"data": {"A": encoded}})


def test_all_values_together_fit_into_a_secret() -> None:
    part = "x" * (limits.SECRET // 16)
    full: dict[str, Any] = {f"A{n}": part for n in range(16)}
    limits.check({"stringData": full}, [])
    message = refused({"stringData": {**full, "LAST": "x"}})
    assert message.startswith("environment: all values together have 1048577 bytes")
    assert message.endswith("The largest: A0, A1, A2")
    data = {"B": base64.b64encode(b"x").decode()}
    assert "1048577 bytes" in refused({"stringData": full, "data": data})


def test_text_that_no_variable_can_hold_is_refused() -> None:
    assert "['A'] has a zero byte" in refused({"stringData": {"A": "s3cret\0"}})
    assert "['A'] has characters that are no Unicode" in refused({"stringData": {"A": "\ud800"}})


def test_what_the_api_server_refuses_is_left_to_it() -> None:
    limits.check({"data": {"A": "no base64!"}, "stringData": None}, [])


@pytest.mark.parametrize("others", [{}, {"B": "x"}, {"B": "é"}])
def test_the_longest_is_found_among_others(others: dict[str, str]) -> None:
    fits = "x" * (limits.LONGEST - len("A=") - 1)
    limits.check({"stringData": {"A": fits, **others}}, [])
    assert "environment['A'] has 131073" in refused({"stringData": {**others, "A": fits + "x"}})


@pytest.mark.parametrize("wrong", [{"B C": "x"}, {"B": "\0"}, {"B": "\ud800"}])
def test_one_that_is_wrong_is_named_among_good_ones(wrong: dict[str, str]) -> None:
    (name,) = wrong
    good = {f"A{number}": "x" for number in range(3)}
    assert repr(name) in refused({"stringData": {**good, **wrong}})
    limits.check({"stringData": {**good, "N": 7}}, [])
