"""Objects and patches as templates of YAML, as kubectl reads it. Pure.

What is in them does not belong here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from mcks.core.manifests import yaml_scalars
from mcks.core.objects import Manifest
from mcks.core.writing.marks import Marks

_LINES = re.compile(r"\S.*\n(?:.*\n)*.*\S\n?")
"""What is easier to read as a block: lines without blank ones at their ends."""
_BREAKS = re.compile("[\x85\u2028\u2029]")
"""What breaks lines for YAML and not for people."""
_WIDE = 10**6
"""So that no text is folded: an expression stays in one piece."""


class Commented(str):
    """A template with the names of the words that it says."""

    __slots__ = ("words",)
    words: tuple[str, ...]


def commented(text: str, words: Iterable[str]) -> Commented:
    """Return *text* with the *words* that it says."""
    found = Commented(text)
    found.words = tuple(words) or ("KubeSpawner's default",)
    return found


class _Dumper(yaml.SafeDumper):
    """Quotes what kubectl would not read as text, and writes several lines as a block."""

    marks: Marks

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, indentless=False)


def _represent(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    ready = dumper.marks.ready(text)
    text, style = str.__str__(text), None
    if dumper.marks.found(ready) or not text or yaml_scalars.resolve(text) is not text:
        style = '"'
    if _LINES.fullmatch(text):
        style = "|"
    if _BREAKS.search(text):
        style = '"'  # where they are escaped
    return dumper.represent_scalar("tag:yaml.org,2002:str", ready, style=style)


_Dumper.add_representer(str, _represent)
_Dumper.add_multi_representer(str, _represent)
_Dumper.add_multi_representer(dict, yaml.SafeDumper.represent_dict)
_Dumper.add_multi_representer(list, yaml.SafeDumper.represent_list)


def written(documents: Iterable[Manifest], marks: Marks) -> str:
    """Write *documents* as one template. It must end with a line break."""

    class Dumper(_Dumper):
        pass

    Dumper.marks = marks
    text: str = yaml.dump_all(
        documents,
        Dumper=Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDE,
        default_flow_style=False,
    )
    return marks.template(text) + "\n"  # for Jinja2 takes the last one away
