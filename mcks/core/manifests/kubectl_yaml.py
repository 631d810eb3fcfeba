"""YAML as kubectl reads it, as plain JSON values. Templates and objects do not belong here.

kubectl reads YAML 1.1 through Go's yaml.v2 and then JSON: ``yes``, ``on`` and ``y`` are booleans,
``0644`` is 420, ``1e3`` is 1000, ``80.0`` is 80, ``12:30`` and dates stay strings, keys become
strings, of two equal keys the later one wins. PyYAML parses; which value a scalar means is decided
in mcks.core.manifests.yaml_scalars.

Stricter than kubectl, on purpose: more than 1 MiB of text, more than 100 levels, and a second
document after ``...`` (kubectl drops it without a word) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from mcks.core.manifests import yaml_scalars
from mcks.errors import BadTemplate

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 100

ScalarHook = Callable[[str, bool, int], Any]
"""``hook(text, plain, line)`` sees each scalar, keys too, after parsing and before resolving.

*text* is the scalar's content, unquoted and unescaped; *plain* says that it stood without quotes,
so that its content may decide its type; *line* is 1-based. It returns the final JSON value, which
is then never resolved, or NotImplemented to have the scalar read as usual. A BadTemplate that it
raises passes unchanged.
"""

_Parser: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SEPARATOR = re.compile(r"^---[^\S\n]*[^\s#]", re.MULTILINE)
_MERGE_TAG = "tag:yaml.org,2002:merge"
_OPEN = object()

_UNCLOSED = "could not find expected ':'|expected ',' or|unexpected end of stream"
_REMEDIES = (
    (r"<document start>", "Write a line '---' before a further document"),
    (r"expected ',' or", "Close the bracket or brace, or quote a value that begins with one"),
    (r"mapping values are not allowed", "Quote a value that contains ': '"),
    (r"could not find expected ':'", "Write 'key: value', indented like its neighbours"),
    (r"block mapping|block collection", "Indent this line like its neighbours"),
    (r"cannot start any token", "Quote a value that begins with a special character"),
    (r"unexpected end of stream", "Close the quotation mark"),
    (r"unknown escape", "Put the text in single quotes, where a backslash is a backslash"),
    (r"alias|anchor", "Define the anchor (&name) before the alias (*name)"),
)


def load_all(text: str, *, key: str = "", scalar: ScalarHook | None = None) -> list[Any]:
    """Read all documents of *text* that are not empty or null, as JSON values.

    Nothing in the result is shared, also where the text uses aliases. Integers are within 64 bits;
    larger ones and fractions are floats.

    Raises BadTemplate with *key*, line and column.
    """
    _check_size(text, key)
    if separator := _SEPARATOR.search(text):
        line = text.count("\n", 0, separator.start()) + 1
        message = "invalid Yaml document separator. Write only '---' on this line"
        raise BadTemplate(message, key=key, line=line)
    parser = None
    try:
        parser = _Parser(text)
        return [value for value in _Builder(parser, scalar, key).documents() if value is not None]
    except yaml.MarkedYAMLError as e:
        raise _syntax_error(e, text, key) from e
    except (yaml.YAMLError, UnicodeEncodeError) as e:
        reason = str(e).partition("\n")[0]
        text = f"not readable as text: {reason}. Write special characters escaped in quotes"
        raise BadTemplate(text, key=key) from e
    finally:
        if parser is not None:
            parser.dispose()


def _check_size(text: str, key: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        raise BadTemplate(
            "is larger than 1 MiB, more than Kubernetes stores in one object. Split it", key=key
        )


def _syntax_error(error: yaml.MarkedYAMLError, text: str, key: str) -> BadTemplate:
    mark = error.problem_mark or error.context_mark
    if error.context_mark is not None and re.search(_UNCLOSED, error.problem or ""):
        mark = error.context_mark  # where it begins; the parser notices later
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:  # pragma: no cover
        return BadTemplate(f"not valid YAML: {problem}", key=key)
    remedy = next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, problem)), "")
    line = text.split("\n")[mark.line : mark.line + 1]
    if line and line[0][mark.column : mark.column + 1] == "\t":
        remedy = "Indent with spaces: YAML allows no tabs"
    message = f"column {mark.column + 1}: not valid YAML: {problem}. {remedy}".rstrip(". ")
    return BadTemplate(message, key=key, line=mark.line + 1)


class _Builder:
    """Builds values from a parser's events, counting so that aliases cannot explode."""

    def __init__(self, parser: Any, hook: ScalarHook | None, key: str) -> None:
        self._next = parser.get_event
        self._hook = hook
        self._key = key
        self._anchors: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._count = 0
        self._aliased = 0

    def documents(self) -> Iterator[Any]:
        """Yield the value of each document of the stream."""
        self._next()
        while type(event := self._next()) is not StreamEndEvent:
            if type(event) is not DocumentStartEvent:  # pragma: no cover
                raise self._error("expected the start of a document", event)
            self._anchors, self._sizes = {}, {}
            yield self._value(self._next(), 0)
            if type(event := self._next()) is not DocumentEndEvent:  # pragma: no cover
                raise self._error("expected the end of a document", event)

    def _value(self, event: Any, depth: int) -> Any:
        start = self._count
        self._count += 1
        kind = type(event)
        if kind is AliasEvent:
            return self._alias(event)
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = _OPEN
        value: Any
        if kind is ScalarEvent:
            value = self._scalar(event)
        elif depth >= MAX_DEPTH:
            raise self._error(
                f"more than {MAX_DEPTH} levels of nesting. Kubernetes has none so deep", event
            )
        elif kind is MappingStartEvent:
            value = self._mapping(depth + 1)
        else:
            value = self._sequence(depth + 1)
        if anchor is not None:
            self._anchors[anchor] = value
            self._sizes[anchor] = self._count - start
        return value

    def _sequence(self, depth: int) -> list[Any]:
        result = []
        while type(event := self._next()) is not SequenceEndEvent:
            result.append(self._value(event, depth))
        return result

    def _mapping(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while type(event := self._next()) is not MappingEndEvent:
            if _is_merge(event):
                self._merge(self._next(), result, depth)
                continue
            key = self._mapping_key(event, depth)
            result[key] = self._value(self._next(), depth)
        return result

    def _mapping_key(self, event: Any, depth: int) -> str:
        if type(event) is ScalarEvent:
            self._count += 1
            key = self._raw_scalar(event)
            if event.anchor is not None:
                self._anchors[event.anchor], self._sizes[event.anchor] = key, 1
        else:
            key = self._value(event, depth)
        try:
            return yaml_scalars.as_key(key)
        except ValueError as e:
            raise self._error(f"{e}. A key is a string: quote it", event) from e

    def _merge(self, event: Any, into: dict[str, Any], depth: int) -> None:
        """``<<``: take over a mapping, or several, of which the first wins."""
        value = self._value(event, depth)
        is_list = type(event) is SequenceStartEvent
        for mapping in reversed(value) if is_list else [value]:
            if type(mapping) is not dict:
                text = "map merge requires map or sequence of maps as the value of '<<'"
                raise self._error(text, event)
            into.update(mapping)

    def _alias(self, event: Any) -> Any:
        name = event.anchor
        if name not in self._anchors:
            raise self._error(f"unknown anchor {name!r} referenced. Define it before", event)
        value = self._anchors[name]
        if value is _OPEN:
            raise self._error(f"anchor {name!r} value contains itself. Write it out", event)
        self._count += self._sizes[name]
        self._aliased += self._sizes[name]
        if _excessive(self._aliased, self._count):
            raise self._error("document contains excessive aliasing. Write it out", event)
        return _copy(value)

    def _scalar(self, event: Any) -> Any:
        value = self._raw_scalar(event)
        if type(value) is not int and type(value) is not float:
            return value
        try:
            return yaml_scalars.as_number(value)
        except ValueError as e:
            raise self._error(f"{e}. JSON has no such number: quote it", event) from e

    def _raw_scalar(self, event: Any) -> Any:
        text, tag, plain = event.value, event.tag, event.implicit[0]
        if tag == "!":
            tag = yaml_scalars.STRING_TAG
        value: Any = NotImplemented
        if self._hook is not None:
            value = self._hook(text, plain, event.start_mark.line + 1)
        if tag is None:
            if value is not NotImplemented:
                return value
            return yaml_scalars.resolve(text) if plain else text
        try:
            if value is NotImplemented:
                return yaml_scalars.resolve_tagged(text, tag)
            return yaml_scalars.as_key(value) if tag == yaml_scalars.STRING_TAG else value
        except ValueError as e:
            raise self._error(str(e), event) from e

    def _error(self, message: str, event: Any) -> BadTemplate:
        mark = event.start_mark
        return BadTemplate(
            f"column {mark.column + 1}: {message}", key=self._key, line=mark.line + 1
        )


def _is_merge(event: Any) -> bool:
    return (
        type(event) is ScalarEvent
        and event.value == "<<"
        and (event.implicit[0] or event.tag == _MERGE_TAG)
    )


def _excessive(aliased: int, count: int) -> bool:
    """The rule of Go's yaml.v2: the larger the document, the less may come from aliases."""
    if aliased <= 100 or count <= 1000:
        return False
    low, high = 400_000, 4_000_000
    scale = min(max((count - low) / (high - low), 0.0), 1.0)
    return aliased / count > 0.99 - 0.89 * scale


def _copy(value: Any) -> Any:
    if type(value) is dict:
        return {key: _copy(item) for key, item in value.items()}
    if type(value) is list:
        return [_copy(item) for item in value]
    return value
