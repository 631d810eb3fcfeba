"""No value that a template inserts can change the structure of a document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mcks.core.manifests.render import render
from mcks.errors import BadTemplate

pytestmark = pytest.mark.slow

HARMLESS = "harmless"

POSITIONS = {
    "plain": "a: {{ v }}\nb: 1",
    "plain, no spaces": "a: {{v}}\nb: 1",
    "plain with suffix": "name: {{v}}-dask\nb: 1",
    "plain with prefix": "name: dask-{{v}}\nb: 1",
    "plain, twice": "a: {{ v }}{{ v }}\nb: 1",
    "plain over lines": "a: one {{ v }}\n  two {{ v }}\nb: 1",
    "plain on its own line": "a:\n  {{ v }}\nb: 1",
    "single-quoted": "a: '{{ v }}'\nb: 1",
    "double-quoted": 'a: "{{ v }}"\nb: 1',
    "within double quotes": 'a: "x\\t{{ v }} y"\nb: 1',
    "literal block": "a: |\n  x {{ v }}\n  y\nb: 1",
    "stripped block": "a: |-\n  {{ v }}\nb: 1",
    "folded block": "a: >\n  x\n  {{ v }}\n\n  y\nb: 1",
    "key": "{{ v }}: 1\n",
    "part of a key": "m:\n  x.{{ v }}/y: 1\nb: 1",
    "quoted key": "m: {'x{{ v }}': 1}\nb: 1",
    "key and value": "x{{ v }}: {{ v }}\n",
    "list item": "a:\n- {{ v }}\n- x\n",
    "flow list": "a: [x, {{ v }}, '{{ v }}', y]\n",
    "flow mapping": "a: {x: {{ v }}, y: z}\n",
    "comment": "a: 1 # {{ v }}\n# {{ v }}\nb: 1",
    "after a document": "a: 1\n---\nb: {{ v }}\n---\nc: 1\n",
    "anchored": "a: &x {{ v }}\nb: *x\nc: {d: &m {e: '{{ v }}'}, f: {<<: *m}}",
    "macro": "{% macro m(x) %}\n- n: {{ x }}\n  o: '{{ x }}'{% endmacro %}a:\n{{ m(v) }}\nb: 1",
    "macro with caller": "{% macro m() %}'{{ caller() }}'{% endmacro %}"
    "a: {% call m() %}{{ v }}{% endcall %}\nb: 1",
    "set block": "{% set s %}\n  n: {{ v }}{% endset %}a:{{ s }}\nb: 1",
    "indented set block": "{% set s %}\nn: {{ v }}\no: 1\n{% endset %}a:\n{{ s | indent(2) }}\nb:",
    "trimmed set block": "{% set s %}  {{ v }}  {% endset %}a: {{ s | trim }}\nb: 1",
    "nested set blocks": "{% set s %}{{ v }}{% endset %}{% set t %}x: {{ s }}{% endset %}{{ t }}",
    "set block in quotes": "{% set s %}{{ v }}{% endset %}a: \"{{ s }}\"\nb: '{{ s }}'",
    "loop": "a:{% for x in [v, v] %}\n- {{ x }}{% endfor %}\nb: 1",
    "recursive loop": "{% for x in [[v]] recursive %}{% if x is string %}a: {{ x }}"
    "{% else %}{{ loop(x) }}{% endif %}{% endfor %}",
    "condition": "{% if v %}a: {{ v }}{% else %}a: {{ v }}{% endif %}\nb: 1",
    "set": "{% set w = v %}a: {{ w }}\nb: 1",
    "namespace": "{% set n = namespace(w=v) %}a: {{ n.w }}\nb: 1",
    "with": "{% with w = v %}a: {{ w }}{% endwith %}\nb: 1",
    "concatenated": "a: {{ 'x' ~ v ~ 'y' }}\nb: 1",
    "added": "a: {{ 'x: ' + v }}\nb: 1",
    "formatted": "a: {{ '%s' | format(v) }}\nb: {{ '{}'.format(v) }}",
    "joined": "a: {{ [v, v] | join('\n') }}\nb: 1",
    "concatenated with a set block": "{% set s %}x: {% endset %}a: {{ s ~ v }}\nb: 1",
    "added to a set block": "{% set s %}x: {% endset %}a: {{ s + v }}\nb: 1",
    "set block replaced": "{% set s %}Q{% endset %}a: {{ s | replace('Q', v) }}\nb: 1",
    "safe": "a: {{ v | safe }}\nb: '{{ v | safe }}'\nc: x{{ v | safe }}",
    "safe set block": "{% set s %}{{ v | safe }}{% endset %}a: {{ s | safe }}\nb: 1",
    "string": "a: {{ v | string }}\nb: {{ v | default('x') }}",
    "toyaml": "a: {{ v | toyaml }}\nb: [{{ v | tojson }}, 1]\nc: {{ [v] | toyaml }}\n"
    "d:\n  {{ {'k': {'l': v}} | tojson | indent(2) | safe }}",
    "everywhere": "{{ v }}: {{ v }}\nx:\n- '{{ v }}': \"{{ v }}\" # {{ v }}\n  z: |\n    {{ v }}\n",
}

NASTY = [
    "", " ", "a: b", "a\nb: c", "\n- x", "\nb: 2", "- x", "x #y", "#", "'", '"', "''", "\\",
    '\\"', "\\n", "{{ key }}", "{% raw %}", "{# x #}", "}}", "%}", "{", "}", "[", "]", ",",
    "&a", "*a", "!!str", "!<!>", "!!python/object:os.system", "<<", "<<: *x", "? x", "|", ">",
    "|2", "---", "\n---\n", "...", "\n...\n", "%YAML 1.1", "\t", "\t- x", "\r", "\r\nb: 2",
    "\x00", "\x07", "\x1b[31m", "\x85", "\u2028", "\u2029", "\ufeff", "\u202eabc", "עברית",
    "👩‍👩‍👧", "\U00100000", "\U00100001\U00100000", "\U0010fffd", "\U0010ffff",
    "\U0010ffff\U00100000", "\U000f0001", "\ue000", "\ufffe", "\ud800", "123", "0x10", "1e3",
    "0644", "1_000", "12:30", "2024-01-01", "yes", "NO", "y", "null", "~", "true", ".inf",
    ".nan", "=", "${x}", "$(x)", "%s", "{0}", "<b>&amp;</b>", "a" * 3000, "\n" * 50, " x ",
    "x:", ":x",
]  # fmt: skip

values = st.one_of(
    st.sampled_from(NASTY),
    st.text(),
    st.lists(st.sampled_from(NASTY), min_size=2, max_size=5).map("".join),
)


def replaced(node: Any, value: str) -> Any:
    """Put *value* wherever the harmless one is."""
    if isinstance(node, str):
        return node.replace(HARMLESS, value)
    if isinstance(node, list):
        return [replaced(item, value) for item in node]
    if isinstance(node, dict):
        return {replaced(key, value): replaced(item, value) for key, item in node.items()}
    return node


def check(position: str, value: str) -> None:
    template = POSITIONS[position]
    expected = replaced(render("k", template, {"v": HARMLESS}), value)
    rendered = render("k", template, {"v": value})
    assert rendered == expected
    assert type_of(rendered) == type_of(expected)


def is_refused_as_key(position: str, value: str) -> bool:
    """Tell what no inserted key may be: a directive, or a key that the mapping has already."""
    keys = {"key": (), "everywhere": ("x", "z")}.get(position)
    return keys is not None and (value in keys or value.startswith("$"))


@pytest.mark.parametrize("position", POSITIONS)
def test_a_nasty_value_arrives_verbatim_and_changes_nothing_else(position: str) -> None:
    for value in NASTY:
        if is_refused_as_key(position, value):
            with pytest.raises(BadTemplate):
                render("k", POSITIONS[position], {"v": value})
        else:
            check(position, value)


@given(position=st.sampled_from(sorted(POSITIONS)), value=values)
@example(position="plain", value="1" * 200_000)
@settings(max_examples=1500, deadline=None)
def test_any_value_arrives_verbatim_and_changes_nothing_else(position: str, value: str) -> None:
    assume(not is_refused_as_key(position, value))
    check(position, value)


def type_of(node: Any) -> Any:
    """Tell apart what Python calls equal: 1, 1.0 and True; str and its subclasses."""
    if isinstance(node, list):
        return [type_of(item) for item in node]
    if isinstance(node, dict):
        return {(key, type(key)): type_of(item) for key, item in node.items()}
    return type(node)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | values,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(values, inner, max_size=4),
    max_leaves=12,
)


@given(value=json_values)
@settings(max_examples=300, deadline=None)
def test_toyaml_inserts_any_json_value_as_it_is(value: Any) -> None:
    template = "a: {{ v | toyaml }}\nb:\n- {{ v | tojson }}\nc: 1"
    rendered = render("k", template, {"v": value})
    assert rendered == [{"a": value, "b": [value], "c": 1}]
    assert type_of(rendered) == type_of([{"a": value, "b": [value], "c": 1}])


@given(value=st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9))
@settings(max_examples=200, deadline=None)
def test_a_number_keeps_its_type_alone_and_is_text_elsewhere(value: float) -> None:
    template = "a: {{ v }}\nb: '{{ v }}'\nc: x{{ v }}\nd: [{{ v }}]"
    [document] = render("k", template, {"v": value})
    assert document["a"] == value
    assert document["d"] == [value]
    assert type(document["a"]) is (
        int if float(value).is_integer() and type(value) is float else type(value)
    )
    assert isinstance(document["b"], str)
    assert document["c"] == "x" + document["b"]
