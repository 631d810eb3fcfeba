"""Templates to documents: what can be written, what is refused, and what the error says."""

from __future__ import annotations

import math
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from mcks.core.manifests.render import render
from mcks.errors import BadTemplate

VARIABLES = {
    "key": "jupyter-ada",
    "username": "ada",
    "port": 8888,
    "nothing": None,
    "flag": True,
    "resources": {"limits": {"memory": "1G", "cpu": 2.0}},
    "options": MappingProxyType({"image": "a/b:1"}),
    "spawner": SimpleNamespace(image="pangeo/base:1", args=["--debug"], _secret="s"),
}


def one(template: str, **variables: Any) -> Any:
    [document] = render("01-pod", template, {**VARIABLES, **variables})
    return document


def refused(template: str, **variables: Any) -> BadTemplate:
    with pytest.raises(BadTemplate) as caught:
        render("01-pod", template, {**VARIABLES, **variables})
    assert "'01-pod'" in str(caught.value)
    return caught.value


def test_an_indented_text_as_in_a_python_file_is_a_template() -> None:
    assert one("""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata:
          name: {{key}}-dask
        rules:
        - apiGroups:
          - ""
        """) == {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "jupyter-ada-dask"},
        "rules": [{"apiGroups": [""]}],
    }


def test_several_documents_may_be_indented_together() -> None:
    assert render(
        "k", "    a: 1\n    ---\n    b: {{ port }}\n    ---\n    # empty\n", VARIABLES
    ) == [
        {"a": 1},
        {"b": 8888},
    ]


@pytest.mark.parametrize("text", ["", "\n", "# {{ key }}", "{# a: 1 #}", "---\n---\n", "null"])
def test_a_template_may_render_to_nothing(text: str) -> None:
    assert render("k", text, VARIABLES) == []


def test_a_condition_may_leave_out_a_whole_document() -> None:
    text = "{% if flag %}\na: 1\n{% endif %}\n---\nb: 2\n"
    assert render("k", text, {"flag": False}) == [{"b": 2}]
    assert render("k", text, {"flag": True}) == [{"a": 1}, {"b": 2}]


def test_a_value_alone_keeps_its_type() -> None:
    text = "a: {{ port }}\nb: {{ flag }}\nc: {{ 0.5 }}\nd: {{ username }}\ne: [{{ port }}]"
    assert one(text) == {"a": 8888, "b": True, "c": 0.5, "d": "ada", "e": [8888]}


def test_a_value_in_quotes_or_beside_text_is_text() -> None:
    text = "a: '{{ port }}'\nb: \"{{ flag }}\"\nc: {{ 0.5 }}Gi\nd: -{{ port }}\n{{ port }}: e"
    assert one(text) == {"a": "8888", "b": "true", "c": "0.5Gi", "d": "-8888", "8888": "e"}


def test_text_that_looks_like_another_type_stays_text() -> None:
    assert one("a: {{ x }}", x="0644") == {"a": "0644"}
    assert one("a: {{ x }}", x="null") == {"a": "null"}
    assert one("a: {{ x }}", x="") == {"a": ""}


def test_a_whole_float_is_an_int_as_kubectl_reads_it() -> None:
    assert repr(one("a: {{ 80.0 }}")) == "{'a': 80}"


def test_a_subclass_of_str_arrives_as_plain_str() -> None:
    class Name(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "other"

    document = one("a: {{ x }}\nb: x-{{ x }}\nc: {{ [x] | toyaml }}", x=Name("bob"))
    assert document == {"a": "bob", "b": "x-bob", "c": ["bob"]}
    assert type(document["a"]) is str


def test_html_markup_is_a_value_like_any_other() -> None:
    class Html(str):
        __slots__ = ()

        def __html__(self) -> str:
            return "x\nb: 2"

    assert one("a: {{ x }}\nc: {{ x | safe }}", x=Html("y\nb: 2")) == {
        "a": "y\nb: 2",
        "c": "y\nb: 2",
    }


def test_toyaml_and_tojson_insert_structure() -> None:
    text = "a: {{ resources | toyaml }}\nb: {{ spawner.args | tojson }}\nc: {{ nothing | toyaml }}"
    assert one(text) == {
        "a": {"limits": {"memory": "1G", "cpu": 2}},
        "b": ["--debug"],
        "c": None,
    }


def test_structure_stands_on_its_own_line_and_as_a_document() -> None:
    assert one("a:\n  {{ resources | toyaml | indent(2) }}")["a"]["limits"]["memory"] == "1G"
    assert one("{{ resources | toyaml }}") == {"limits": {"memory": "1G", "cpu": 2}}


def test_structure_within_text_is_json() -> None:
    assert one("a: '{{ spawner.args | toyaml }}'\nb: x {{ spawner.args | toyaml }}") == {
        "a": '["--debug"]',
        "b": 'x ["--debug"]',
    }
    assert one("a: |\n  {{ ['é', 'ü'] | tojson }}") == {"a": '["é","ü"]'}


def test_toyaml_takes_what_filters_make() -> None:
    assert one("a: {{ ['x', 'y'] | map('upper') | toyaml }}") == {"a": ["X", "Y"]}
    assert one("a: {{ options.items() | toyaml }}") == {"a": [["image", "a/b:1"]]}
    assert one("a: {{ {1: true} | toyaml }}") == {"a": {"1": True}}
    assert one("a: {{ [resources | toyaml] | toyaml }}")["a"][0]["limits"]["cpu"] == 2


def test_what_is_returned_belongs_to_the_caller() -> None:
    for text in ("a: {b: [1]}", "a: {b: [{{ 1 }}]}", "a: {{ x | toyaml }}"):
        given = {"b": [1]}
        first = one(text, x=given)
        first["a"]["b"].append(2)
        assert one(text, x=given) == {"a": {"b": [1]}}
        assert given == {"b": [1]}


def test_one_structure_inserted_twice_is_two_objects() -> None:
    text = "{% set s %}{{ x | toyaml }}{% endset %}a: {{ s }}\nb: {{ s }}"
    document = one(text, x={"c": 1})
    document["a"]["c"] = 2
    assert document["b"] == {"c": 1}


def test_macros_and_set_blocks_make_structure() -> None:
    text = """
    {% macro env(name, value) %}
    - name: {{ name }}
      value: "{{ value }}"
    {%- endmacro %}
    {% set labels %}
    team: {{ username }}
    tier: gold
    {% endset %}
    labels:
      {{ labels | trim | indent(2) }}
    env:
    {{ env("A", 1) }}
    {{ env("B", "x: y") }}
    """
    assert one(text) == {
        "labels": {"team": "ada", "tier": "gold"},
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "x: y"}],
    }


def test_what_a_set_block_captured_compares_as_the_text_it_is() -> None:
    text = "{% set s %}{{ username }}-x{% endset %}a: {{ s == 'ada-x' }}\nb: {{ s.upper() }}"
    assert one(text) == {"a": True, "b": "ADA-X"}


def test_raw_text_is_not_jinja() -> None:
    assert one("a: '{% raw %}{{ key }}{% endraw %}'\nb: {{ key }}") == {
        "a": "{{ key }}",
        "b": "jupyter-ada",
    }


def test_loops_and_literal_yaml_work_together() -> None:
    text = "a:{% for k, v in x.items() %}\n  {{ k }}: {{ v }}{% endfor %}\nb: 0644\nc: yes"
    assert one(text, x={"p": 1, "q": "2"}) == {"a": {"p": 1, "q": "2"}, "b": 420, "c": True}


def test_an_undefined_variable_can_be_asked_for() -> None:
    assert one("a: {{ nope is defined }}\nb: {{ nope | default('x') }}") == {"a": False, "b": "x"}


def test_an_unknown_variable_names_the_near_and_the_known_ones() -> None:
    error = refused("a: 1\n\nb: {{ usernme }}")
    assert error.line == 3
    assert "unknown variable 'usernme'. Did you mean 'username'? Known: flag, key" in str(error)


def test_an_unknown_field_names_the_known_ones() -> None:
    assert "unknown field 'imag'. Did you mean 'image'? Known: args, image" in str(
        refused("a: {{ spawner.imag }}")
    )
    assert "unknown field 'img'" in str(refused("a: {{ options.img }}"))
    assert "a str has no field 'nope'" in str(refused("a: {{ key.nope }}"))


@pytest.mark.parametrize(
    ("template", "line", "message"),
    [
        ("a: {{ key", 1, "Close {{ with }}"),
        ("a: 1\n{% if flag %}\nb: 2\n", 2, "every block with its end"),
        ("a: 1\nb: {{ key | toyml }}", 2, "unknown filter 'toyml'. Did you mean 'toyaml'"),
        ("a: {{ key is nmber }}", 1, "unknown test 'nmber'. Did you mean 'number'"),
        ("a: {{ key ! }}", 1, "{% raw %}"),
        ("a: {{ nothing }}", 1, "the value is None. Write {{ x or '' }}"),
        ("a: x{{ nothing }}", 1, "the value is None"),
        ("a: 1\nb: {{ resources }}", 2, "the value is a dict. Write {{ x | toyaml }}"),
        ("b: {{ spawner.args }}", 1, "the value is a list. Write {{ x | toyaml }}"),
        ("a: {{ spawner }}", 1, "Is a .name or [key] missing?"),
        ("a: {{ spawner | toyaml }}", 1, "a SimpleNamespace cannot become YAML"),
        ("a: {{ {'b': [x]} | toyaml }}", 1, "inf is not a number that JSON can hold"),
        ("a: {{ x }}", 1, "inf is not a number"),
        ("{{ resources | toyaml }}: 1", 1, "a key cannot be a structure. Leave out | toyaml"),
        ("a: 1\n{{ '$patch' }}: 1", 2, "makes the key '$patch', which would be a directive"),
        ("b: 1\n{{ 'b' }}: 2", 2, "makes the key 'b' occur twice"),
        ("{{ 'b' }}: 1\nc: 1\n{{ 'b' }}: 2", 3, "makes the key 'b' occur twice"),
        ("a: &{{ key }} x", 1, "anchor"),
        ("a: *{{ key }}", 1, "alias"),
        ("a: !{{ key }} x", 1, "tag"),
        ("a: |{{ port }}\n  x", 1, "block scalar"),
        ("a: {{ 1 // 0 }}", 1, "fails with ZeroDivisionError"),
        ("a: {{ 'a' + 1 }}", 1, "TypeError"),
        ("a: {{ ['a'][4] }}", 1, "has no element 4"),
        ("a: \U00100000", 1, "private-use character U+100000"),
        ("a: 1\n\tb: 2", 2, "Indent with spaces"),
        ("a: 1\n{% if flag %}\nb: 2\n{% endif %}\n c: 3", 5, "Quote a value that contains"),
    ],
)
def test_an_error_names_line_and_remedy(template: str, line: int, message: str) -> None:
    error = refused(template, x=math.inf)
    assert message in str(error)
    assert error.line == line
    assert "\U00100000" not in str(error)


@pytest.mark.parametrize(("text", "what"), [("- a", "a list"), ("hello", '"hello"'), ("3", "3")])
def test_a_document_must_be_a_mapping(text: str, what: str) -> None:
    assert f"document 2 is {'' if 'list' in what else 'only '}{what}" in str(
        refused(f"a: 1\n---\n{text}")
    )


def test_the_line_is_the_templates_also_behind_loops_and_macros() -> None:
    text = """{% macro m() %}
    x: 1
    y: 2
    {% endmacro %}
    {%- for i in range(5) %}
    a{{ i }}:
      {{ m() }}
    {%- endfor %}
    b: 1
      c: 3
    """
    assert refused(text).line == 10
    broken_loop = "{% for i in range(3) %}\na{{ i }}: 1\n b: 2\n{% endfor %}"
    assert refused(broken_loop).line == 3
    broken_macro = "{% macro m() %}\n\nx: [1\n{% endmacro %}\na: 1\n{{ m() }}\n"
    assert refused(broken_macro).line in (3, 4)


def test_the_column_is_the_one_in_the_configuration_or_not_there() -> None:
    assert "column 8: " in str(refused("    a: 1\n    b:\t}"))
    assert "column" not in str(refused("    a: {{ key }} }: x: y"))


def test_a_template_that_is_too_long_is_refused() -> None:
    assert "longer than 1048576" in str(refused("a: " + "x" * 2**20))
    assert "renders to more than" in str(refused("a: {{ x }}{{ x }}", x="x" * 2**19 + "y" * 9))


@pytest.mark.slow
def test_a_mistake_in_a_very_long_template_may_have_no_line() -> None:
    assert refused("{{ key }}: [\n" + "\n" * (2**20 - 20)).line is None


def test_a_value_of_half_a_mebibyte_passes() -> None:
    assert len(one("a: {{ x }}", x="x" * 2**19)["a"]) == 2**19
