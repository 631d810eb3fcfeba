"""YAML as kubectl reads it; the side-by-side test with kubectl is in test_yaml_kubectl.py."""

from __future__ import annotations

from typing import Any

import pytest
import yaml as pyyaml

from mcks.core.manifests import kubectl_yaml
from mcks.errors import BadTemplate
from tests.core.manifests.one_document import load


@pytest.fixture(autouse=True, params=["libyaml", "pure Python"])
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers read alike; libyaml's is there where it was built."""
    if request.param == "pure Python":
        monkeypatch.setattr(kubectl_yaml, "_Parser", pyyaml.SafeLoader)
    else:
        assert kubectl_yaml._Parser is pyyaml.CSafeLoader


SCALARS: list[tuple[str, Any]] = [
    ("y", True),
    ("Y", True),
    ("yes", True),
    ("On", True),
    ("n", False),
    ("NO", False),
    ("off", False),
    ("yEs", "yEs"),
    ("true", True),
    ("TRUE", True),
    ("tRUE", "tRUE"),
    ("~", None),
    ("null", None),
    ("Null", None),
    ("nUll", "nUll"),
    ("", None),
    ("0644", 420),
    ("0o644", 420),
    ("0O644", 420),
    ("00", 0),
    ("08", 8),
    ("0x1F", 31),
    ("-0x1f", -31),
    ("0b101", 5),
    ("-0b11", -3),
    ("0x", "0x"),
    ("1_000", 1000),
    ("1__0", 10),
    ("_1", "_1"),
    ("+7", 7),
    ("-0", 0),
    ("-0.0", 0),
    ("1e3", 1000),
    ("1E3", 1000),
    ("1e-3", 0.001),
    ("80.0", 80),
    ("80.", 80),
    ("80.5", 80.5),
    (".5", 0.5),
    ("+.5", 0.5),
    (".1_0", 0.1),
    (".5_", ".5_"),
    (".", "."),
    ("1.2.3", "1.2.3"),
    ("1e999", "1e999"),
    ("1e20", 1e20),
    ("1152921504606846976.0", 1152921504606847000),
    ("9223372036854775807", 2**63 - 1),
    ("9223372036854775808", 2.0**63),
    ("18446744073709551616", 2.0**64),
    ("-9223372036854775809", -(2.0**63)),
    ("0" * 70 + "17", 15),
    ("9" * 70, float("9" * 70)),
    ("0x1FFFFFFFFFFFFFFFFF", "0x1FFFFFFFFFFFFFFFFF"),
    ("12:30", "12:30"),
    ("1:2:3", "1:2:3"),
    ("2001-01-01", "2001-01-01"),
    ("2001-01-01 10:00:00", "2001-01-01 10:00:00"),
    ("100Mi", "100Mi"),
    ("-x", "-x"),
    ("+", "+"),
    ("=", "="),
    ("<<", "<<"),
    ("'yes'", "yes"),
    ('"12"', "12"),
    ("|\n  yes", "yes"),
    ("!!str 12", "12"),
    ("!!int 12", 12),
    ("!!int '12'", 12),
    ("!!float 12", 12),
    ("!!bool yes", True),
    ("!!null ''", None),
    ("!!binary aGVsbG8=", "hello"),
    ("!!timestamp 2001-01-01", "2001-01-01"),
    ("! 12", "12"),
    ("!mine 12", "12"),
    ("!mine [12]", [12]),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_a_scalar_means_what_it_means_to_kubectl(text: str, value: Any) -> None:
    read = load(f"a: {text}")["a"]
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("0644", "420"),
        ("yes", "true"),
        ("off", "false"),
        ("1.5", "1.5"),
        ("1e3", "1000"),
        ("1000000.0", "1e+06"),
        ("0.00001", "1e-05"),
        ("16777217.0", "1.6777216e+07"),
        ("-.inf", "-.inf"),
        (".nan", ".nan"),
        ("1e300", ".inf"),
        ("-1e300", "-.inf"),
        ("'0644'", "0644"),
        ("? a", "a"),
    ],
)
def test_a_key_becomes_the_string_that_kubectl_makes_of_it(text: str, key: str) -> None:
    assert load(f"{text}: 1" if "?" not in text else f"{text}\n: 1") == {key: 1}


def test_of_two_equal_keys_the_later_wins() -> None:
    assert load("a: 1\nb: 2\na: 3") == {"a": 3, "b": 2}


def test_aliases_are_copies() -> None:
    read = load("a: &x {b: [1]}\nc: *x\n&k d: *k")
    assert read == {"a": {"b": [1]}, "c": {"b": [1]}, "d": "d"}
    assert read["a"]["b"] is not read["c"]["b"]


def test_an_anchor_may_be_defined_again() -> None:
    assert load("[&x 1, *x, &x 2, *x]") == [1, 1, 2, 2]


def test_merge_keys_take_effect_where_they_stand() -> None:
    text = "base: &b {x: 1, z: 2}\nfirst: {<<: *b, x: 9}\nlast: {x: 9, <<: *b}\n"
    assert load(text)["first"] == {"x": 9, "z": 2}
    assert load(text)["last"] == {"x": 1, "z": 2}


def test_of_several_merged_mappings_the_first_wins() -> None:
    assert load("{<<: [{a: 1}, {a: 2, b: 2}], '<<': 3}") == {"a": 1, "b": 2, "<<": 3}


def test_empty_documents_are_left_out() -> None:
    assert kubectl_yaml.load_all(
        "# nothing\n---\na: 1\n---\n---\nnull\n--- # comment\nb: 2\n...\n"
    ) == [
        {"a": 1},
        {"b": 2},
    ]
    assert kubectl_yaml.load_all("") == []
    assert kubectl_yaml.load_all("# nothing") == []


def test_a_byte_order_mark_is_no_content() -> None:
    assert load("\ufeffa: 1") == {"a": 1}


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for i in range(1, 12):
        aliases = ", ".join([f"*a{i - 1}"] * 10)
        lines.append(f"a{i}: &a{i} [{aliases}]")
    return "\n".join(lines)


BROKEN: list[tuple[str, str, int | None, str]] = [
    ("unclosed brace", "x: 1\na: {b: 1\nc: 2", 2, "Close the bracket or brace"),
    ("unclosed bracket", "a: [1, 2\n", 1, "Close the bracket or brace"),
    ("unclosed quote", "a: 'x\nb: 1\n", 1, "Close the quotation mark"),
    ("no colon", "a: 1\nb\nc: 2", 2, "Write 'key: value'"),
    ("unknown escape", "a: 'b'\nc: \"\\d\"", 2, "single quotes"),
    ("tab", "a:\n\tb: 1", 2, "Indent with spaces"),
    ("colon in a value", "a: b: c", 1, "Quote a value that contains ': '"),
    ("bad indentation", "a:\n  b: 1\n c: 2", 3, "Indent this line like its neighbours"),
    ("reserved character", "a: @b", 1, "Quote a value"),
    ("template brace", "a: {{b}}", 1, "invalid map key"),
    ("unknown alias", "x: 1\na: *b", 2, "column 4: unknown anchor 'b'"),
    ("alias of itself", "a: &b [*b]", 1, "anchor 'b' value contains itself"),
    ("infinity", "a: .inf", 1, "quote it"),
    ("not a number", "a: [1, .nan]", 1, "quote it"),
    ("null as key", "~: 1", 1, "quote it"),
    ("list as key", "? [a]\n: 1", 1, "invalid map key"),
    ("huge key", "18446744073709551615: 1", 1, "unsupported map key"),
    ("merge of a list item", "a: &x [1]\nb: {<<: *x}", 2, "map merge requires map"),
    ("merge of a scalar", "a: {<<: 1}", 1, "map merge requires map"),
    ("wrong tag", "a: !!int x", 1, "cannot decode !!str as a !!int"),
    ("wrong binary", "a: !!binary a", 1, "invalid base64 data"),
    ("text after the separator", "a: 1\n--- b: 2", 2, "invalid Yaml document separator"),
    ("document after the end", "a: 1\n...\nb: 2", 3, "Write a line '---'"),
    ("control character", "a: \x00", None, "not readable as text"),
    ("lone surrogate", "a: \ud800", None, "not readable as text"),
    ("too deep", deep(101), 1, "more than 100 levels"),
    ("alias bomb", bomb(), 4, "excessive aliasing"),
    ("too large", "a: " + "x" * (1024 * 1024), None, "larger than 1 MiB"),
    ("too large in bytes", "a: " + "é" * (600 * 1024), None, "larger than 1 MiB"),
]


@pytest.mark.parametrize(
    ("text", "line", "says"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_broken_text_is_refused_with_key_line_and_remedy(
    text: str, line: int | None, says: str
) -> None:
    with pytest.raises(BadTemplate) as caught:
        kubectl_yaml.load_all(text, key="10-home")
    assert caught.value.key == "10-home"
    assert caught.value.line == line
    assert "template '10-home'" in str(caught.value)
    assert says in str(caught.value)


def test_deep_but_sensible_nesting_is_fine() -> None:
    value = load(deep(100))
    for _ in range(99):
        (value,) = value
    assert value == []


def test_the_hook_sees_each_scalar_and_its_answer_is_final() -> None:
    seen = []

    def hook(text: str, plain: bool, line: int) -> Any:
        seen.append((text, plain, line))
        return {"P": "yes", "I": 7}.get(text, NotImplemented)

    read = load("P: P\n'I': [I, \"P\", 0644]\nb: |\n  P\n", scalar=hook)
    assert read == {"yes": "yes", "7": [7, "yes", 420], "b": "P\n"}
    assert seen == [
        ("P", True, 1),
        ("P", True, 1),
        ("I", False, 2),
        ("I", True, 2),
        ("P", False, 2),
        ("0644", True, 2),
        ("b", True, 3),
        ("P\n", False, 3),
    ]


def test_the_str_tag_makes_a_string_of_the_hooks_answer() -> None:
    def hook(text: str, plain: bool, line: int) -> Any:
        return 7 if text == "I" else NotImplemented

    assert load("a: !!str I\nb: I", scalar=hook) == {"a": "7", "b": 7}


def test_a_hooks_answer_can_never_be_a_merge_key_or_structure() -> None:
    def hook(text: str, plain: bool, line: int) -> Any:
        return "<<" if text == "P" else NotImplemented

    assert load("{a: {P: {b: 1}}}", scalar=hook) == {"a": {"<<": {"b": 1}}}


def test_an_error_of_the_hook_passes_unchanged() -> None:
    def hook(text: str, plain: bool, line: int) -> Any:
        raise BadTemplate("mine", line=line)

    with pytest.raises(BadTemplate, match="line 2: mine"):
        load("\na: 1", scalar=hook)
