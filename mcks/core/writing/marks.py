"""Texts in which a character stands for a Jinja2 expression, and templates made of them. Pure.

Which expression stands for what (`names`) does not belong here.

KubeSpawner's own translation puts such characters where it would put a user's name, so what it
makes of a configuration becomes a template: what was a field is now an expression, all else is
text, whatever braces it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Self

from mcks.core.manifests.insertion import PLACEHOLDER
from mcks.errors import ConfigError

_FIRST, _LAST = 0xEC00, 0xEEFF
_MARK = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")
_VALUE = "{value}"
"""Where a user's own text is put; anything else that looks like it must look otherwise."""
_SPECIAL = re.compile(
    rf"\{{value\}}|\{{[{{%#]+|\{{$|\{{(?={PLACEHOLDER.pattern})|{PLACEHOLDER.pattern}"
)
"""What Jinja2 or mcks would not take for text; a brace before an expression makes three."""


class Marks:
    """The characters of one conversion and the expressions that they stand for."""

    def __init__(self) -> None:
        self._expressions: dict[str, str] = {}
        self._open_ended: set[str] = set()

    def mark(self, expression: str, *, open_ended: bool = False) -> str:
        """Return the character for *expression*.

        *open_ended*: it may be empty or end with a dash, which KubeSpawner takes off at the end of
        a text.
        """
        for known, same in self._expressions.items():
            if same == expression:
                return known
        if len(self._expressions) > _LAST - _FIRST:
            raise ConfigError("there are too many different templates to convert at once")
        character = chr(_FIRST + len(self._expressions))
        self._expressions[character] = expression
        if open_ended:
            self._open_ended.add(character)
        return character

    def field(self, expression: str, *, open_ended: bool = False) -> str:
        """Return the same as a value for ``str.format``: what a format asks is an expression."""
        return _Field(self, expression, self.mark(expression, open_ended=open_ended))

    def found(self, value: Any) -> bool:
        """Tell whether *value* has an expression in one of its texts."""
        return any(_MARK.search(text) for text in texts(value))

    def expression(self, text: str) -> str:
        """Return the Jinja2 expression whose value is *text*.

        >>> marks = Marks()
        >>> marks.expression("claim-" + marks.mark("safe_username"))
        "'claim-' ~ safe_username"
        """
        parts = [self._expressions.get(part) or _quoted(part) for part in _parts(text)]
        joined = " ~ ".join(map(_operand, parts)) if len(parts) > 1 else "".join(parts) or "''"
        if text and text[-1] in self._open_ended:
            return f"({joined}).rstrip('-')"
        return joined

    def ready(self, text: str) -> str:
        """Return *text* with a mark for all that must not stand in a template as it is.

        What is left can be written in any way that YAML has, and filled in by ``template``.
        """
        if text and text[-1] in self._open_ended:
            return self.mark(self.expression(text))
        return "".join(
            part if part in self._expressions else self._without_special(part, last=last)
            for part, last in _with_last(_parts(text))
        )

    def _without_special(self, literal: str, *, last: bool) -> str:
        def replaced(found: re.Match[str]) -> str:
            if last and found[0] == "{" and found.end() == len(literal):
                return "{"
            return self.mark(_quoted(found[0]))

        return _SPECIAL.sub(replaced, literal)

    def template(self, written: str) -> str:
        """Fill the expressions into what was *written* of ready texts.

        >>> marks = Marks()
        >>> marks.template(marks.ready("/home/" + marks.mark("safe_username")))
        '/home/{{safe_username}}'
        """
        return _MARK.sub(lambda found: f"{{{{{self._expressions[found[0]]}}}}}", written)

    def text(self, text: str) -> str:
        """Return the template of *text*, which is no YAML: a name."""
        return self.template(self.ready(text))


class _Field(str):
    """A mark that answers to format specifications, too."""

    __slots__ = ("_expression", "_marks")
    _marks: Marks
    _expression: str

    def __new__(cls, marks: Marks, expression: str, mark: str) -> Self:
        field = super().__new__(cls, mark)
        field._marks, field._expression = marks, expression
        return field

    def __format__(self, spec: str) -> str:
        if not spec:
            return str.__str__(self)
        called = f"{'{:' + spec + '}'!r}.format({self._expression})"
        return self._marks.mark(called, open_ended=True)

    def __repr__(self) -> str:
        return self._marks.mark(f"'{{!r}}'.format({self._expression})")


def texts(value: Any) -> Iterator[str]:
    """Yield all texts in *value*, keys of dicts included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts(key)
            yield from texts(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from texts(item)


def refuse_marks(value: Any) -> None:
    """Raise ConfigError if *value* has itself a character that conversion needs."""
    for text in texts(value):
        if found := _MARK.search(text):
            raise ConfigError(
                f"a value has the private character U+{ord(found[0]):X}, which is needed for the "
                "conversion: leave it out, and put it into what was converted by hand"
            )


def _parts(text: str) -> list[str]:
    return [part for part in re.split(f"({_MARK.pattern})", text) if part]


def _quoted(literal: str) -> str:
    """Return *literal* as a Jinja2 expression.

    >>> _quoted("a{value}")
    "'a{' ~ 'value}'"
    """
    first, *rest = literal.split(_VALUE)
    if not rest:
        return repr(literal)
    parts = ["", *(f"value}}{part}" for part in rest)]
    opened = [f"{part}{{" for part in (first, *parts[1:-1])]
    return " ~ ".join(map(repr, [*opened, parts[-1]]))


def _with_last(parts: list[str]) -> Iterator[tuple[str, bool]]:
    for number, part in enumerate(parts, 1):
        yield part, number == len(parts)


def _operand(expression: str) -> str:
    """Put an expression with operators of its own into parentheses."""
    return f"({expression})" if " or " in expression or " if " in expression else expression
