"""YAML side by side with kubectl: the same values, or an error from both.

Some habits of kubectl's parser are left out, where PyYAML's goes by the book: in flow style it
takes a plain scalar that ends in ``:`` and refuses one with ``?`` inside; a tag may hold brackets
and commas; the escape ``\\/`` is unknown; and what follows a finished document without ``---`` it
drops without a word, which mcks refuses on purpose.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mcks.core.manifests import kubectl_yaml
from mcks.errors import BadTemplate
from tests.core.kubectl import Kubectl, same
from tests.core.manifests.test_kubectl_yaml import BROKEN, SCALARS

pytestmark = pytest.mark.slow

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
STRICTER = {
    "document after the end",
    "too deep",
    "too large",
    "too large in bytes",
    "lone surrogate",
}
"""Broken texts that kubectl takes, or that cannot be given to it."""

_STARTS = "0 1 7 8 9 12 64 0x 0X 0b 0o 0644 1e3 e E . - + _ : , / ~ = < > y Y n N a T Z Mi é"
_WORDS = "yes no on off true false null .inf .nan nan inf << 1_0 2001-01-01 10:00:00 12:30"
_LARGE = "18446744073709551615 9223372036854775807 9223372036854775808"
_MARKS = "' \" # % @ ` & * !"
_TAGS = ("!!str ", "!!int ", "!!float ", "!!bool ", "!!null ")
PIECES = (*f"{_STARTS} {_WORDS} {_LARGE} {_MARKS}".split(), " ", *_TAGS)
_TAG_WITH_COMMA = re.compile(r"![^ ]*,")
QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


def read(text: str) -> list[Any] | None:
    """Read as mcks does; None for an error."""
    try:
        return kubectl_yaml.load_all(text)
    except BadTemplate:
        return None


def check(kubectl: Kubectl, text: str) -> None:
    theirs, mine = kubectl.read(text), read(text)
    if theirs.error:
        assert mine is None, theirs.error
    else:
        assert mine is not None
        assert same(mine, theirs.objects)


def test_every_listed_scalar_is_read_as_kubectl_reads_it(kubectl: Kubectl) -> None:
    scalars = "".join(f"- {text}\n" if "\n" not in text else "" for text, _ in SCALARS)
    check(kubectl, f"{HEAD}data:\n{scalars}")


def test_every_broken_text_is_refused_by_kubectl_too(kubectl: Kubectl) -> None:
    texts = {name: text for name, text, *_ in BROKEN if name not in STRICTER}
    taken = [name for name, text in texts.items() if not kubectl.read(f"{HEAD}---\n{text}").error]
    assert taken == []


def scalar_texts(size: int) -> st.SearchStrategy[list[str]]:
    text = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)
    listed = text.filter(lambda text: not _TAG_WITH_COMMA.search(text))
    return st.lists(listed, min_size=size, max_size=size)


def test_random_scalars_are_read_as_kubectl_reads_them(kubectl: Kubectl) -> None:
    @settings(QUIET, max_examples=500)
    @given(scalar_texts(40))
    def run(texts: list[str]) -> None:
        readable = [text for text in texts if read(f"- {text}\n") is not None]
        lines = [f"- {text}\n" for text in readable if "#" not in text]
        check(kubectl, f"{HEAD}data:\n{''.join(lines)}")
        refused = [text for text in texts if text not in readable][:1]
        for text in refused:
            check(kubectl, f"{HEAD}data:\n- {text}\n")

    run()


def test_random_keys_are_read_as_kubectl_reads_them(kubectl: Kubectl) -> None:
    @settings(QUIET, max_examples=50)
    @given(scalar_texts(20))
    def run(texts: list[str]) -> None:
        entries: dict[str, str] = {}
        for text in texts:
            keys = read(f"{text}: 1\n")
            if keys and isinstance(keys[0], dict) and len(keys[0]) == 1:
                entries.setdefault(next(iter(keys[0])), f"  {text}: 1\n")
        assume(entries)
        check(kubectl, f"{HEAD}data:\n{''.join(entries.values())}")

    run()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@st.composite
def documents(draw: Any) -> str:
    """Write some objects in one of PyYAML's many styles, with anchors where parts are equal."""
    shared = draw(VALUES)
    objects = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": value}
        for value in draw(st.lists(VALUES | st.just([shared, shared]), min_size=1, max_size=3))
    ]
    text = pyyaml.safe_dump_all(
        objects,
        default_style=draw(st.sampled_from([None, "'", '"', "|", ">"])),
        default_flow_style=draw(st.sampled_from([False, None])),
        allow_unicode=draw(st.booleans()),
        indent=draw(st.integers(2, 6)),
        width=draw(st.sampled_from([20, 80])),
        explicit_start=draw(st.booleans()),
    )
    comment: str = draw(st.sampled_from(["", "# a comment\n", "\n"]))
    return comment + text.replace("\n---\n", f"\n---\n{comment}")


def test_random_documents_are_read_as_kubectl_reads_them(kubectl: Kubectl) -> None:
    @settings(QUIET, max_examples=100)
    @given(documents())
    def run(text: str) -> None:
        check(kubectl, text)

    run()


WRITTEN = [
    "base: &b {p: 1, q: 2}\nfirst: {<<: *b, p: 9}\nlast: {p: 9, <<: *b}\n",
    "l: {<<: [{p: 1}, {p: 2, q: 2}], '<<': 3}\n",
    "a: &x [1]\nb: *x\nc: &x {d: 1}\ne: *x\n",
    "a: |\n  x\n   y\n\nb: >-\n  x\n  y\n\n  z\nc: |2+\n   x\n\n",
    "a: 'it''s'\nb: \"\\x41\\u263a\\n\\t\"\nc: \"x\\\n  y\"\n",
    "? a\n: 1\n? 'b'\n: - 1\n  - 2\n",
    "a:\n- b\n-   - c\n    - d\n- e: 1\n  f: 2\n",
    "a: x # comment\nb: x#no\n'c d': 1\nhttp://x: http://y:80/\n",
    "a: [1, [2, {b: c, d}], ]\nb: {a, b: [], }\n",
    "a: plain\n  over lines\nb: - x\n",
    "a: -\n",
    "a: b: c\n",
    "a\n",
    "a: %x\n",
    'a: {b: "c",\n\td: e}\n',
    "a:\tb\n",
    "a: 1\na: 2\n",
    "0644: a\nyes: b\n~x: c\n1.5: d\n1e3: e\n",
    "a: !!binary aGVsbG8=\nb: !!set {x, z}\nc: !local {d: 1}\n",
    "a: !!timestamp 2001-01-01\nb: 2001-12-14t21:59:43.10-05:00\n",
    "\ufeffa: 1\n",
    "a: \u2028b\n",
    "a: '\U0001f600'\n",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_written_document_is_read_as_kubectl_reads_it(kubectl: Kubectl, text: str) -> None:
    indented = "".join(f"  {line}" for line in text.splitlines(keepends=True))
    check(kubectl, f"{HEAD}data:\n{indented}")


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}---\n{HEAD}",
        f"---\n# only a comment\n---\n{HEAD}...\n",
        f"{HEAD}--- # comment\n{HEAD}---\n---\n",
        f"{HEAD}--- {HEAD}",
        f"{HEAD}---x\n",
        f"{HEAD}---\nnull\n---\n~\n",
        json.dumps({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "d": ["\u00e9"]}),
    ],
)
def test_streams_are_split_as_kubectl_splits_them(kubectl: Kubectl, text: str) -> None:
    check(kubectl, text)
