"""Values as Python source, as an administrator would write them. Pure.

Functions have no source here: they are called by a name. Which values there are does not belong
here.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from traitlets.config.loader import LazyConfigValue

from mcks.core.kubespawner.models import plain
from mcks.core.writing.yaml_text import Commented

_WIDTH = 88
_PLAIN = (str, bytes, int, float, bool, type(None))


class Names:
    """The names by which what has no source is called, and what has to be defined for them."""

    def __init__(self) -> None:
        self.imports: dict[str, Any] = {}
        """``from MODULE import NAME`` -> what that is."""
        self.known: dict[str, Any] = {}
        """Names of the configuration's own file."""
        self.missing: dict[str, Any] = {}
        """Names that somebody has to give: what they stand for has none."""

    def of(self, value: Any, place: str) -> str:
        """Return the name of *value*, which the configuration has at *place*."""
        for names in (self.known, self.missing):
            for name, same in names.items():
                if same is value:
                    return name
        if found := _global_name(value):
            self.known[found] = value
            return found
        module, qualified = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
        if getattr(sys.modules.get(module or ""), qualified, None) is value:
            self.imports[f"from {module} import {qualified}"] = value
            return str(qualified)
        new = re.sub(r"\W+", "_", place).strip("_").lower() or "value"
        while new in self.missing:
            new += "_"
        self.missing[new] = value
        return new

    def wanted(self) -> Iterator[str]:
        """Yield a sentence for each name that is missing."""
        for name, value in self.missing.items():
            yield (
                f"{name}: {_described(value)} has no name of its own: give it this one, above this "
                "piece"
            )

    def bound(self) -> dict[str, Any]:
        """Return all names with what they stand for, for who runs the source."""
        imported = {line.rpartition(" ")[2]: value for line, value in self.imports.items()}
        return {**imported, **self.known, **self.missing}


def _described(value: Any) -> str:
    code = getattr(value, "__code__", None)
    if code is None:
        return f"a {type(value).__name__}"
    return f"the function in {Path(code.co_filename).name}, line {code.co_firstlineno},"


def _global_name(function: Any) -> str | None:
    """Find how the file in which *function* was written calls it."""
    names = getattr(function, "__globals__", {})
    if names.get("__name__") in sys.modules:
        return None  # a module's: it is imported
    return next((n for n, v in names.items() if v is function and n.isidentifier()), None)


def source(value: Any, names: Names, place: str, indent: int = 0) -> str:
    """Return Python source for *value*, which stands at *place*, from column *indent* on."""
    if isinstance(value, Commented):
        return _block(value, indent)
    if isinstance(value, LazyConfigValue):
        value = value.get_value({} if value._update else [])
    if getattr(value, "attribute_map", None) is not None:
        value = plain(value)
    if type(value) in _PLAIN:
        return _scalar(value)
    if isinstance(value, Mapping):
        return _joined("{}", _pairs(value, names, place, indent), indent)
    if isinstance(value, list | tuple | set | frozenset):
        return _sequence(value, names, place, indent)
    if isinstance(value, str | int | float):
        return _scalar(plain(value) if not isinstance(value, str) else str.__str__(value))
    return names.of(value, place)


def _scalar(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    text = repr(value)
    if isinstance(value, str) and text[0] == "'" and '"' not in text and "\\'" not in text:
        return f'"{text[1:-1]}"'
    return text


def _pairs(
    value: Mapping[Any, Any], names: Names, place: str, indent: int
) -> Iterator[tuple[str, str]]:
    """Yield comment and source of each item."""
    for key, item in value.items():
        comment = ""
        if isinstance(item, Commented) and item.words:
            comment = f"# {', '.join(item.words)}"
        text = source(item, names, f"{place}_{key}", indent + 4)
        yield comment, f"{source(key, names, place)}: {text}"


def _sequence(value: Any, names: Names, place: str, indent: int) -> str:
    items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
    parts = [source(item, names, f"{place}_{n}", indent + 4) for n, item in enumerate(items)]
    if isinstance(value, list):
        return _joined("[]", (("", part) for part in parts), indent)
    if isinstance(value, tuple):
        parts += [""] * (len(parts) == 1)
        return f"({', '.join(parts).rstrip(' ')})"
    joined = _joined("{}", (("", part) for part in parts), indent) if parts else ""
    return (joined or "set()") if isinstance(value, set) else f"frozenset({joined})"


def _joined(brackets: str, items: Iterator[tuple[str, str]], indent: int) -> str:
    parts = list(items)
    short = f"{brackets[0]}{', '.join(text for _, text in parts)}{brackets[1]}"
    if "\n" not in short and len(short) + indent < _WIDTH and not any(c for c, _ in parts):
        return short
    margin = " " * (indent + 4)
    lines = [brackets[0]]
    for comment, text in parts:
        lines += [f"{margin}{comment}"] if comment else []
        lines.append(f"{margin}{text},")
    return "\n".join([*lines, f"{' ' * indent}{brackets[1]}"])


def _block(template: str, indent: int) -> str:
    """Write a template as a text of several lines, indented as a whole."""
    escaped = str.__str__(template).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    margin = " " * (indent + 4)
    lines = [margin + line if line else line for line in escaped.rstrip("\n").split("\n")]
    return "\n".join(['"""', *lines, f'{" " * indent}"""'])
