"""Jinja2 as administrators' templates may use it: bounded, without side effects, and such that
template text and inserted values stay apart.

YAML, and the errors that name a template's key, do not belong here (render.py).

How a value is kept from becoming structure: the environment's ``finalize`` marks each value that is
written as ``Inserted``, and its ``concat`` makes what a macro or a ``{% set %}`` block captures a
``Captured``, which remembers its pieces. So a rendering is a sequence of pieces whose origin is
known. Statements that write without ``finalize`` are refused. No value ever enters the text that
is parsed later: one private-use character, which templates may not use, stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from types import BuiltinMethodType, FunctionType, MethodType, TracebackType
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import UndefinedError
from jinja2.filters import do_indent, do_trim
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, missing, pass_context
from jinja2.visitor import NodeTransformer

from mcks.core.manifests.insertion import (
    MAX_TEXT,
    PLACEHOLDER,
    Inserted,
    Mistake,
    Structure,
    assemble,
    capture,
    insert,
    keeping_origin,
)
from mcks.errors import unknown

MAX_STEPS = 10_000
"""Loop iterations and calls in one rendering. No document needs as many."""
MAX_EXPONENT = 1_000

_HAS_JINJA = re.compile(r"\{[{%#]")
_FIRST_LINE = 0xF0000
_LINE_MARK = re.compile(f"[{chr(_FIRST_LINE)}-{chr(_FIRST_LINE + 0xFFFF)}]")
_MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
_REMEDIES = {
    "end of template|Missing end of": "Close {{ with }}, {% with %}, and every block with its end",
    "innermost block": "Close the blocks in the order in which they were opened, last one first",
    "unknown tag": "There are if, for, set, macro, call, with and raw, each with its end",
    "unexpected|expected token": "Close {{ with }} and {% with %}. Braces that are not Jinja's go "
    "between {% raw %} and {% endraw %}",
    "is unsafe": "Templates reach plain values and their usual methods only",
}
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Extends: "extends",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Block: "block",
    nodes.FilterBlock: "filter",
    nodes.ScopedEvalContextModifier: "autoescape",
}


def interpolate(source: str, variables: Mapping[str, Any]) -> tuple[str, list[Inserted]]:
    """Render *source* to a text with a placeholder for each value, and the values in order.

    The text depends on the values only where the template's own statements do. Raises Mistake.
    """
    if not _HAS_JINJA.search(source):
        return _checked(source), []
    return _rendered(_compiled(source), variables)


def template_line(source: str, variables: Mapping[str, Any], rendered_line: int) -> int | None:
    """Return the line of *source* that wrote *rendered_line* of its rendering; both 1-based.

    Renders once more, with a mark at each line of the template: for errors only.
    """
    if not _HAS_JINJA.search(source):
        return rendered_line
    try:
        text, _ = _rendered(_compiled(source, marked=True), variables)
    except Mistake:  # the marks made it too long
        return None
    lines = text.split("\n")[:rendered_line]
    indent = re.match(rf"(?:{_LINE_MARK.pattern}|\s)*", lines[-1])
    places = (indent[0] if indent else "", lines[-1], "".join(lines))
    marks = next(filter(None, map(_LINE_MARK.findall, places)), None)
    return ord(marks[-1]) - _FIRST_LINE if marks else None


def _checked(source: str) -> str:
    if len(source) > MAX_TEXT:
        raise Mistake(f"is longer than {MAX_TEXT} characters")
    if found := PLACEHOLDER.search(source):
        raise Mistake(
            f"has the private-use character U+{ord(found[0]):X}, which mcks keeps for itself. "
            "Leave it out, or pass it in a variable",
            source.count("\n", 0, found.start()) + 1,
        )
    return source


@lru_cache(maxsize=512)
def _compiled(source: str, *, marked: bool = False) -> Template:
    try:
        tree = _ENVIRONMENT.parse(_checked(source))
        _Rewriter(marked=marked).visit(tree)
        template = _ENVIRONMENT.from_string(tree)
    except TemplateSyntaxError as exc:
        raise Mistake(_remedy(exc.message or "syntax error"), exc.lineno) from exc
    except (RecursionError, SyntaxError) as exc:  # Python's own limits
        raise Mistake("is nested too deeply") from exc
    template.globals = dict(template.globals)  # each rendering copies them: no chain of mappings
    return template


def _remedy(message: str) -> str:
    """Say what to do about Jinja's *message*."""
    message = message.rstrip(".")
    if named := re.match(r"No (filter|test) named '(.*)'", message):
        known: Mapping[str, Any] = getattr(_ENVIRONMENT, f"{named[1]}s")
        near = get_close_matches(named[2], known, n=3)
        return unknown(named[1], named[2], near or (name for name in known if name[0].isalpha()))
    for pattern, remedy in _REMEDIES.items():
        if re.search(pattern, message):
            return f"{message}. {remedy}"
    return message


def _rendered(template: Template, variables: Mapping[str, Any]) -> tuple[str, list[Inserted]]:
    known = {**template.globals, **variables}
    context = _Context(_ENVIRONMENT, known, template.name, template.blocks)
    try:
        return assemble(template.root_render_func(context))
    except Mistake as exc:
        raise Mistake(exc.message, exc.line or _line(exc)) from exc
    except _UnknownVariable as exc:
        raise Mistake(unknown("variable", exc.message or "", variables), _line(exc)) from exc
    except TemplateError as exc:
        raise Mistake(_remedy(exc.message or type(exc).__name__), _line(exc)) from exc
    except RecursionError as exc:
        raise Mistake(
            "a macro or loop calls itself without end. Let a condition end it", _line(exc)
        ) from exc
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
        what = f"an expression fails with {type(exc).__name__}: {exc}"
        raise Mistake(what, _line(exc)) from exc


def _line(exc: BaseException) -> int | None:
    """Find in the traceback of *exc* the line of the template where it was raised."""
    line = None
    trace: TracebackType | None = exc.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


@pass_context  # so that Jinja does not fold constants into template text
def _finalize(_context: Context, value: object) -> str:
    if type(value) is str:  # as most are
        text = Inserted(value)
        text.value = value
        return text
    if isinstance(value, Undefined):
        str(value)  # raises the error that fits
    return insert(value)


def _same(value: object) -> object:
    """Be the filter ``safe``: there is nothing that it could allow."""
    return value


class _UnknownVariable(UndefinedError):
    """Its message is the variable's name."""


class _Unknown(StrictUndefined):
    """What a name that does not exist evaluates to: fine for ``is defined``, else an error."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: Any = UndefinedError,
    ) -> None:
        if hint is None and obj is missing:
            exc = _UnknownVariable
        super().__init__(hint, obj, name, exc)

    @property
    def _undefined_message(self) -> str:
        obj, name = self._undefined_obj, self._undefined_name
        if self._undefined_exception is _UnknownVariable:
            return str(name)
        if self._undefined_hint or obj is missing or not isinstance(name, str):
            return super()._undefined_message
        if isinstance(obj, str | int | float | list | tuple):
            return f"a {type(obj).__name__} has no field {name!r}"
        known = obj if isinstance(obj, Mapping) else dir(obj)
        return unknown("field", name, (str(key) for key in known if not str(key).startswith("_")))


class _Context(Context):
    """What one rendering knows, and how many steps it took."""

    steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Mistake(f"takes more than {MAX_STEPS} loop iterations and calls. Do less")


@pass_context
def _counted(context: _Context, items: Iterable[object]) -> Iterator[object]:
    for item in items:
        context.step()
        yield item


class _Rewriter(NodeTransformer):
    """Refuses statements that have no use here, and has loop iterations counted.

    With *marked*, each line of template text begins with a character that tells its number.
    """

    def __init__(self, *, marked: bool) -> None:
        self.marked = marked

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        if name := _REFUSED.get(type(node)):
            raise TemplateSyntaxError(
                f"the statement {{% {name} %}} is not available; use {{% macro %}} or {{% set %}}",
                node.lineno,
            )
        return super().visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "_counted", [], [], None, None, lineno=node.lineno)
        return node

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:  # noqa: N802
        if self.marked:
            lines = enumerate(node.data.split("\n"), node.lineno)
            node.data = "\n".join(chr(_FIRST_LINE + min(n, 0xFFFF)) + text for n, text in lines)
        return node


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox: no loader, only plain values' methods, bounds on what a template may do."""

    context_class = _Context
    concat = staticmethod(capture)
    intercepted_binops = frozenset({"*", "**"})

    def __init__(self) -> None:
        super().__init__(undefined=_Unknown, finalize=_finalize, cache_size=0)
        for name in ("center", "random", "urlize", "xmlattr"):
            del self.filters[name]
        del self.globals["lipsum"]
        self.functions = frozenset(map(id, self.globals.values()))
        self.filters["_counted"] = _counted
        self.filters["indent"] = keeping_origin(do_indent)
        self.filters["trim"] = keeping_origin(do_trim)
        self.filters["safe"] = _same
        self.filters["tojson"] = self.filters["toyaml"] = Structure

    def is_safe_callable(self, obj: Any) -> bool:
        """Allow macros, Jinja's own functions, and methods of text, numbers, lists and mappings."""
        if isinstance(obj, Macro | LoopContext | Joiner | Undefined) or id(obj) in self.functions:
            return True  # an Undefined says best itself why it cannot be called
        if isinstance(obj, FunctionType):  # the sandbox's own str.format
            obj = getattr(obj, "__wrapped__", None)
        owner = getattr(obj, "__self__", None)
        if isinstance(obj, BuiltinMethodType):
            return isinstance(owner, str | int | float | list | tuple | dict | Mapping)
        if isinstance(obj, MethodType) and isinstance(owner, Mapping):
            return obj.__name__ in _MAPPING_METHODS
        return isinstance(obj, MethodType) and isinstance(owner, LoopContext | Cycler)

    def call(  # type: ignore[override]
        self, context: _Context, obj: Any, /, *args: Any, **kwargs: Any
    ) -> Any:
        """Call *obj* if it is safe. What ``{% call %}`` calls writes without ``finalize``."""
        context.step()
        if "caller" in kwargs and not isinstance(obj, Macro):
            raise Mistake("{% call %} needs a macro of this template")
        if not self.is_safe_callable(obj):
            raise Mistake(f"a {type(obj).__name__} cannot be called in a template")
        if any(isinstance(arg, int) and arg > MAX_TEXT for arg in args):
            raise Mistake(f"a number that is passed to a call is larger than {MAX_TEXT}")
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Refuse powers and repetitions whose result would be huge."""
        if operator == "**":
            huge = isinstance(right, int) and abs(right) > MAX_EXPONENT
        else:
            sizes = [len(side) if hasattr(side, "__len__") else side for side in (left, right)]
            huge = sizes != [left, right] and sizes[0] * sizes[1] > MAX_TEXT
        if huge:
            raise Mistake(f"the result of {operator} is too large")
        return super().call_binop(context, operator, left, right)


_ENVIRONMENT = _Environment()
