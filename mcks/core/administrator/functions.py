"""The administrator's functions: asked, awaited, and named if they fail.

Which settings may be functions, and what follows from an answer, does not belong here.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcks.errors import ConfigError, FunctionFailed, MCKSError

_LONGEST = 300
"""Characters of an exception's own words, and of a sentence for users."""


async def ask(function: Callable[..., Any], spawner: Any, where: str, *more: Any) -> Any:
    """Call *function*, async or not, with *spawner* (and *more*). Raises FunctionFailed that names
    *where*."""
    with naming(where, function):
        answer = function(spawner, *more)
        return await answer if inspect.isawaitable(answer) else answer


def ask_now(function: Callable[..., Any], spawner: Any, where: str) -> Any:
    """Call *function* where nothing can be awaited. Raises FunctionFailed, and ConfigError for an
    async one."""
    with naming(where, function):
        answer = function(spawner)
    if inspect.iscoroutine(answer):
        answer.close()
        raise ConfigError(f"{where}: {describe(function)} is async, and nobody can await it here")
    return answer


def with_names(place: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* with functions that name themselves and their key in *place*."""

    def named(key: str, function: Callable[..., Any]) -> Callable[[Any], Any]:
        return lambda spawner: ask_now(function, spawner, f"{place}[{key!r}]")

    return {k: named(k, value) if callable(value) else value for k, value in values.items()}


def sentence(answer: Any, where: str, function: Callable[..., Any]) -> str:
    """Return the *answer* of *function* as one line for users, "" if it has nothing to say.

    Raises ConfigError if it is no text.
    """
    if answer is None:
        return ""
    if not isinstance(answer, str):
        raise ConfigError(
            f"{where}: {describe(function)} gives {type(answer).__name__}: it must give a text for "
            "users, or None"
        )
    text = answer.encode(errors="replace").decode()  # no half characters, which no page can hold
    return " ".join(text.split())[:_LONGEST]


@contextmanager
def naming(where: str, function: Callable[..., Any]) -> Iterator[None]:
    """Turn what *function* raises into FunctionFailed, but for what it says to the user itself."""
    try:
        yield
    except Exception as exc:
        if isinstance(exc, MCKSError) or hasattr(exc, "status_code"):
            raise  # as tornado's HTTPError: a refusal with words of the administrator's own
        raise FunctionFailed(f"{where}: {failure(function, exc)}") from exc


def failure(function: Callable[..., Any], exc: BaseException) -> str:
    """Say in one line that *function* raised *exc*, and in which line of its file."""
    words = " ".join(str(exc).split())[:_LONGEST]
    said = f"{type(exc).__name__}: {words}" if words else type(exc).__name__
    return f"{describe(function)} raised {said}{_line(function, exc)}"


def describe(function: Callable[..., Any]) -> str:
    """Name *function* in a sentence."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"the function {name.replace('<locals>.', '')}"


def _line(function: Callable[..., Any], exc: BaseException) -> str:
    """The last line of the function's own file that was run; empty if it has none."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ""
    frames = traceback.extract_tb(exc.__traceback__)
    lines = [f.lineno for f in frames if f.filename == code.co_filename]
    return f" ({Path(code.co_filename).name}, line {lines[-1] if lines else code.co_firstlineno})"
