"""Variables of the environment in whose values KubeSpawner has fields, as patches. Pure.

What Kubernetes or JupyterHub put into an environment does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mcks.core.manifests import references
from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest
from mcks.core.servers.environment import value_from
from mcks.core.writing.marks import Marks
from mcks.core.writing.yaml_text import Commented, commented, written


class Environment(NamedTuple):
    """What stays in ``environment``, and what templates have to say, by the variables' names."""

    plain: dict[str, Any]
    templates: dict[str, Commented]


def split(
    environment: Mapping[str, Any],
    expanded: Callable[[str, Any], Any],
    marks: Marks,
    user_text: str,
) -> Environment:
    """Divide *environment*, whose fields *expanded* replaces by marks.

    *user_text* is the mark of a user's own text, which ``{value}`` inserts in what stays.
    """
    plain: dict[str, Any] = {}
    templates: dict[str, Commented] = {}
    for name, value in environment.items():
        said = value if callable(value) else expanded(name, value)
        if stays := _inserted(said, marks, user_text):
            plain[name] = stays[0]
        else:
            patch = _patch(name, said, marks)
            templates[name] = commented(written([patch], marks), ("environment",))
    return Environment(plain, templates)


def _inserted(value: Any, marks: Marks, user_text: str) -> tuple[Any] | None:
    """Return *value* with ``{value}`` for a user's text, if that is all there is to insert."""
    if not marks.found(value):
        if user_text and isinstance(value, str) and "{value}" in value:
            return None  # means itself, and would be replaced
        return (value,)
    if not user_text or not isinstance(value, str) or "{value}" in value:
        return None
    text = value.replace(user_text, "{value}")
    return None if marks.found(text) else (text,)


def _patch(name: str, value: Any, marks: Marks) -> Manifest:
    meta = {"name": marks.mark("key")}
    if isinstance(value, Mapping):
        entry = {"name": name, **value_from(value)}
    elif references.refers(str(value)):
        entry = {"name": name, "value": value}
    else:
        return {"kind": "Secret", "metadata": meta, "stringData": {name: value}}
    container = {"name": CONTAINER, "env": [entry]}
    return {"kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
