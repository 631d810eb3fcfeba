"""Templates to Kubernetes objects: Jinja2, then YAML, then our labels, then patches. Pure.

What a template may do (sandbox.py) and how a patch merges (patch.py) do not belong here.

A value that a template inserts never passes through YAML. A placeholder does, and what stands
there is decided by the template alone, so no value can add a key, end a string or change a type:

- an unquoted scalar that is one ``{{ expression }}`` has the value's own type; text stays text,
  also ``"123"`` and ``"yes"``;
- everywhere else (in quotes, in a block, beside other text, as a key) it is text;
- ``{{ x | toyaml }}``, or ``tojson``, alone in an unquoted scalar inserts a list or dict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from mcks.core.documents import read
from mcks.core.insertion import PLACEHOLDER, Mistake
from mcks.core.objects import Manifest
from mcks.core.sandbox import interpolate, template_line
from mcks.errors import BadTemplate

_COLUMN = re.compile(r"^column (\d+): ")


def render(key: str, template: str, variables: Mapping[str, Any]) -> list[Manifest]:
    """Render the text *template*, named *key*, to its documents; empty ones are dropped.

    The text may be indented as a whole. What is returned belongs to the caller.
    Raises BadTemplate with key and line.
    """
    try:
        text, values = interpolate(template, variables)
    except Mistake as exc:
        raise BadTemplate(exc.message, key=key, line=exc.line) from exc
    try:
        documents = read(text, key, values)
    except (BadTemplate, Mistake) as exc:
        line = exc.line and template_line(template, variables, exc.line)
        raise BadTemplate(_readable(exc, text), key=key, line=line) from exc
    for number, document in enumerate(documents, 1):
        if not isinstance(document, dict):
            what = "a list" if isinstance(document, list) else f"only {_json(document)}"
            raise BadTemplate(
                f"document {number} is {what}. Write an object: lines like 'kind: Pod'", key=key
            )
    return documents


def _readable(error: BadTemplate | Mistake, text: str) -> str:
    """Say *error*, met in the rendered *text*, in terms of the template."""
    message = PLACEHOLDER.sub("{{ }}", error.message)
    column = _COLUMN.match(message)
    if column is None or error.line is None:
        return message
    line, dedented = (t.split("\n")[error.line - 1 :][:1] for t in (text, dedent(text)))
    if not line or PLACEHOLDER.search(line[0]):
        return message[column.end() :]
    shift = len(line[0]) - len(dedented[0])
    return f"column {int(column[1]) + shift}: {message[column.end() :]}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
