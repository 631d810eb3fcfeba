"""What a template may not do: reach Python, change what it is given, run or grow without end."""

from __future__ import annotations

from collections import OrderedDict, UserDict
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from mcks.core.manifests.insertion import MAX_TEXT, Captured, Mistake, assemble, capture
from mcks.core.manifests.sandbox import interpolate


def refused(template: str, **variables: Any) -> str:
    with pytest.raises(Mistake) as caught:
        interpolate(template, variables)
    return caught.value.message


@pytest.mark.parametrize(
    "expression",
    [
        "x.__class__",
        "x.__class__.__mro__[1].__subclasses__()",
        "x['__class__']",
        "x | attr('__class__')",
        "[x] | map(attribute='__class__') | list",
        "'{0.__class__}'.format(x)",
        "'{0.__class__}'.format_map({'0': x})",
        "spawner._secret",
        "spawner['_secret']",
        "x._y",
        "self._TemplateReference__context",
        "namespace.__init__.__globals__",
        "dict.__base__",
        "cycler.__init__",
        "function.__globals__",
        "function.__code__",
        "m.__init__",
    ],
)
def test_underscore_names_are_out_of_reach(expression: str) -> None:
    message = refused(
        "{% macro m() %}{% endmacro %}{{ " + expression + " }}",
        x="text",
        spawner=SimpleNamespace(_secret="hidden"),
        function=lambda: 1,
    )
    assert "hidden" not in message


@pytest.mark.parametrize(
    "call", ["f()", "o.method()", "o.klass()", "s.run()", "[o.klass] | map('call')"]
)
def test_nothing_of_the_callers_can_be_called(call: str) -> None:
    called: list[object] = []

    class Klass:
        def method(self) -> None:
            called.append(self)

    things = SimpleNamespace(method=Klass().method, klass=Klass)
    refused(
        "{{ " + call + " }}", f=lambda: called.append(1), o=things, s=SimpleNamespace(run=print)
    )
    assert called == []


@pytest.mark.parametrize(
    "change",
    ["d.pop('a')", "d.update(b=1)", "d.clear()", "d.setdefault('b', 1)", "l.append(1)", "l.sort()"],
)
def test_what_is_given_cannot_be_changed(change: str) -> None:
    given: dict[str, Any] = {"d": {"a": 1}, "l": [2, 1]}
    assert "unsafe" in refused("{{ " + change + " }}", **given)
    assert given == {"d": {"a": 1}, "l": [2, 1]}


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("name.upper()", "ADA"),
        ("name.replace('a', 'b')", "bdb"),
        ("name[0]", "a"),
        ("name.split('d') | join('-')", "a-a"),
        ("d.get('a')", "1"),
        ("o.get('z', 3)", "3"),
        ("u.get('a')", "1"),
        ("u.items() | list | length", "1"),
        ("u.copy()", None),
        (" ' x ' | trim", "x"),
        ("d.items() | list | length", "1"),
        ("'{}!'.format(name)", "ada!"),
        ("'{x}'.format_map({'x': name})", "ada"),
        ("'%s!' % name", "ada!"),
        ("(7).bit_length()", "3"),
        ("range(3) | join", "012"),
        ("dict(a=name).a", "ada"),
        ("namespace(a=name).a", "ada"),
        ("cycler(1, 2).next()", "1"),
        ("joiner(',')()", ""),
        ("[3, 1] | sort | first", "1"),
        ("name | truncate(1, true, '', 0)", "a"),
        ("2 ** 10", "1024"),
        ("'ab' * 2", "abab"),
        ("[1] * 2 | length", None),
    ],
)
def test_methods_of_plain_values_and_jinjas_functions_work(
    expression: str, text: str | None
) -> None:
    given = {"name": "ada", "d": {"a": 1}, "o": OrderedDict(a=1), "u": UserDict(a=1)}
    template = "{{ " + expression + " }}"
    if text is None:
        refused(template, **given)
    else:
        _, [value] = interpolate(template, given)
        assert str.__str__(value) == text


def test_loop_helpers_work() -> None:
    loop = "{{ loop.cycle('p', 'q') }}{{ loop.length }}{{ loop.changed(x) }}"
    text = "{% for x in 'ab' %}" + loop + "{% endfor %}"
    _, values = interpolate(text, {})
    assert [str.__str__(v) for v in values] == ["p", "2", "true", "q", "2", "true"]


@pytest.mark.parametrize(
    "template",
    [
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% block x %}{% endblock %}",
        "{% filter upper %}a{% endfilter %}",
        "{% if x %}{% autoescape true %}{% endautoescape %}{% endif %}",
    ],
)
def test_statements_without_a_use_here_are_refused(template: str) -> None:
    assert "is not available" in refused(template, x=1)


@pytest.mark.parametrize(
    "template",
    [
        "{{ range(10 ** 12) | list }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set r = range(9999) | list %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) ~ m(n - 1) }}{% endif %}{% endmacro %}{{ m(99) }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ 'x' * 10 ** 12 }}",
        "{{ 10 ** 12 * 'x' }}",
        "{{ 2 ** 64 }}",
        "{{ 9 ** 999 ** 9 }}",
        "{{ [1] * 10 ** 12 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ 'x'.ljust(10 ** 12) }}",
        "{{ 'x' | indent(10 ** 12) }}",
        "{{ 'x' | indent(width=10 ** 12) }}",
        "{% set x = 'y' * 99999 %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 60 + "{{ x }}",
        "{% for a in range(9999) %}" + "x" * 999 + "{% endfor %}",
        "{{ x | toyaml }}",
        "(" * 3000 + "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{% if 1 %}" * 200 + "{% endif %}" * 200,
        "{% for x in 'a' %}" * 30 + "{% endfor %}" * 30,
    ],
)
def test_endless_and_huge_templates_are_refused_soon(template: str) -> None:
    endless: list[Any] = []
    endless.append(endless)
    refused(template, x=endless)


def test_many_values_are_refused() -> None:
    line = "{{ x }}" * 9
    assert "65533 values" in refused("{% for a in range(9999) %}" + line + "{% endfor %}", x="")


@pytest.mark.parametrize("callee", ["name.upper", "range", "dict", "joiner()", "d.get"])
def test_a_call_block_needs_a_macro(callee: str) -> None:
    template = "{% call " + callee + "() %}x{% endcall %}"
    assert "{% call %} needs a macro" in refused(template, name="a: b", d={})


def test_output_of_unknown_origin_is_refused() -> None:
    class Text(str):
        __slots__ = ()

    with pytest.raises(Mistake, match="a Text cannot be written here"):
        capture([Text("a: b")])
    assert isinstance(capture(["a: b"]), Captured)


def test_a_set_block_is_laid_out_with_numbers_only() -> None:
    text = "{% set s %}\na: 1\n{% endset %}{{ s | indent(x) }}"
    assert "numbers and booleans only" in refused(text, x="b: 2\n")
    assert "numbers and booleans only" in refused(
        "{% set s %}b{% endset %}{{ s | trim(x) }}", x="b"
    )


def test_the_text_is_the_same_for_all_values() -> None:
    template = "a: {{ x }}\nb: '{{ x }}-{{ y }}'"
    text, values = interpolate(template, {"x": "1", "y": "2"})
    other, _ = interpolate(template, {"x": "evil\nb: 2", "y": 3})
    assert text == other
    assert [str.__str__(value) for value in values] == ["1", "1", "2"]


def test_the_text_is_joined_once_for_all_users() -> None:
    template = "a: {{ x }}\nb: {% if y %}{{ y }}{% else %}none{% endif %}"
    texts = [interpolate(template, {"x": x, "y": y})[0] for x in "12" for y in ("u", "v", "")]
    assert texts[0] is texts[1] is texts[3] is texts[4]
    assert texts[2] is texts[5]
    assert texts[0] != texts[2]


def test_a_rendering_that_is_too_long_ends_soon() -> None:
    made: list[int] = []

    def pieces() -> Iterator[str]:
        for number in range(10_000):
            made.append(number)
            yield "x" * (MAX_TEXT // 10)

    with pytest.raises(Mistake, match=f"more than {MAX_TEXT} characters"):
        assemble(pieces())
    assert len(made) < 100
