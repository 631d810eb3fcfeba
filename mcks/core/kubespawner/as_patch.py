"""A word of KubeSpawner's, with an administrator's own value, as a patch that says the same. Pure.

What else can be said instead of a word does not belong here.
"""

from __future__ import annotations

from typing import Any

import yaml

from mcks.core.kubespawner.pod import shaped
from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest
from mcks.errors import ConfigError

_VARIABLES = {
    "userid": "{{ userid }}",
    "username": "{{ username }}",
    "servername": "{{ servername }}",
    "escaped_username": "{{ username }}",
    "escaped_servername": "{{ servername }}",
    "unescaped_username": "{{ unescaped_username }}",
    "unescaped_servername": "{{ unescaped_servername }}",
    "pod_name": "{{ key }}",
    "namespace": "{{ namespace }}",
}
"""Fields -> the variables of templates that say the same, but for how names are escaped."""
_OF_OTHERS = {"component_label"}
"""Words that change more than the Pod."""
_OF_TEMPLATES = ("{{", "{%", "{#")
_HIDDEN = "(the value)"


def as_patch(word: str, value: Any) -> str:
    """Return the patch of the server's Pod for *word* with *value*, "" if there is none to show.

    That is so for functions, for a value that cannot be used, and for what no patch of the Pod can
    say.
    The values of containers' environment variables are left out: they may be secrets.
    """
    if word in _OF_OTHERS or callable(value) or any(mark in str(value) for mark in _OF_TEMPLATES):
        return ""
    try:
        said = _said(shaped(_plainest(), {word: value}, _VARIABLES))
        return _written(said) if said else ""
    except (ConfigError, yaml.YAMLError, TypeError, ValueError, AttributeError, KeyError):
        return ""


def _plainest() -> Manifest:
    return {"metadata": {}, "spec": {"containers": [{"name": CONTAINER}]}}


def _said(pod: Manifest) -> Manifest:
    """Return what *pod* has that the plainest one has not, environments without their values."""
    metadata = {name: said for name, said in pod["metadata"].items() if said}
    spec = dict(pod["spec"])
    notebook, *others = spec.pop("containers")
    notebook = {name: said for name, said in notebook.items() if said != {}}
    if len(notebook) > 1 or others:
        shown = [notebook] if len(notebook) > 1 else []
        spec["containers"] = [_without_values(c) for c in (*shown, *others)]
    if "initContainers" in spec:
        spec["initContainers"] = [_without_values(c) for c in spec["initContainers"]]
    return {
        **({"metadata": metadata} if metadata else {}),
        **({"spec": spec} if spec else {}),
    }


def _without_values(container: dict[str, Any]) -> dict[str, Any]:
    env = container.get("env")
    if not env:
        return container
    hidden = [{**e, "value": _HIDDEN} if "value" in e else e for e in env]
    return {**container, "env": hidden}


def _written(said: Manifest) -> str:
    def yaml_of(part: Any) -> str:
        text: str = yaml.safe_dump(part, sort_keys=False, allow_unicode=True, width=10_000)
        return text

    metadata = yaml_of(said["metadata"]) if "metadata" in said else ""
    indented = "".join(f"  {line}\n" for line in metadata.splitlines())
    spec = yaml_of({"spec": said["spec"]}) if "spec" in said else ""
    return f"kind: Pod\nmetadata:\n  name: {{{{key}}}}\n{indented}{spec}"
