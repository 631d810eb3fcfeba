"""Makes patch_schema.json of `mcks.core.patching` from the schemas of kubernetes-validate.

Run it as ``python -m tests.generate.patch_schema`` after an update of kubernetes-validate. All
minors are merged into one table, the newest form of a field stays: a new list may gain a merge
key, but none was ever changed or dropped, and this script stops if one is. What the file means is
said in mcks.core.patching.patch_schema, which reads it.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[2] / "mcks" / "core" / "patching" / "patch_schema.json"

_ROOT = files("kubernetes_validate") / "kubernetes-json-schema"
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_FOLDER = re.compile(r"v1\.(\d+)\.0-local")
_REF = "#/$defs/"

REFUSED = {"CustomResourceDefinition", "APIService"}
"""Kinds of the API server's own extensions: kubectl has no Go type for them and refuses."""

Definitions = dict[str, dict[str, Any]]
Types = dict[str, dict[str, str]]


def minors() -> dict[int, Definitions]:
    """Return the definitions of each Kubernetes minor that kubernetes-validate ships."""
    found = [int(m[1]) for item in _ROOT.iterdir() if (m := _FOLDER.fullmatch(item.name))]
    return {minor: definitions(minor) for minor in sorted(found)}


def definitions(minor: int) -> Definitions:
    """Return the definitions of Kubernetes v1.*minor*, by their full names."""
    path = _ROOT / f"v1.{minor}.0-local" / "_definitions.json"
    found: Definitions = json.loads(path.read_text(encoding="utf-8"))["$defs"]
    return found


def short_name(definition: str) -> str:
    """Shorten a definition's name: io.k8s.api.core.v1.Pod is core.v1.Pod."""
    return (
        definition.removeprefix("io.k8s.")
        .removeprefix("api.")
        .replace("apimachinery.pkg.apis.", "")
    )


def build(schemas: dict[int, Definitions]) -> dict[str, Any]:
    """Return the content of patch_schema.json for these minors."""
    kinds: dict[str, dict[str, str]] = {}
    types: Types = {}
    for minor, schema in schemas.items():
        for api_version, kind, definition in _objects(schema):
            kinds.setdefault(api_version, {})[kind] = short_name(definition)
            _collect(definition, schema, types, minor, seen=set())
    return {
        "kinds": {version: dict(sorted(names.items())) for version, names in sorted(kinds.items())},
        "types": {name: dict(sorted(fields.items())) for name, fields in sorted(types.items())},
    }


def _objects(schema: Definitions) -> list[tuple[str, str, str]]:
    found = []
    for name, definition in schema.items():
        meta = definition.get("properties", {}).get("metadata", {})
        if meta.get("$ref") != _REF + _OBJECT_META:
            continue
        for gvk in definition.get("x-kubernetes-group-version-kind", ()):
            group, version, kind = gvk["group"], gvk["version"], gvk["kind"]
            if kind not in REFUSED:
                found.append((f"{group}/{version}" if group else version, kind, name))
    return found


def _collect(name: str, schema: Definitions, types: Types, minor: int, *, seen: set[str]) -> None:
    """Add the fields of definition *name*, and of those that a patch can reach through it."""
    if name in seen:
        return
    seen.add(name)
    fields = types.setdefault(short_name(name), {})
    for field, prop in schema[name].get("properties", {}).items():
        words, inner = _describe(prop, schema)
        if not words:
            continue
        was = fields.get(field, words)
        if not _may_become(was, words):
            raise SystemExit(f"{name}.{field} was {was!r} and is {words!r} in v1.{minor}")
        fields[field] = words
        if inner:
            _collect(inner, schema, types, minor, seen=seen)


def _describe(prop: dict[str, Any], schema: Definitions) -> tuple[str, str]:
    """Return a field's words (see `patch_schema`) and the definition to go on with."""
    strategy = prop.get("x-kubernetes-patch-strategy", "")
    merge_key = prop.get("x-kubernetes-patch-merge-key", "")
    inner = _structure(prop, schema)
    if _is(prop, "array"):
        inner = _structure(prop["items"], schema) if "merge" in strategy.split(",") else ""
        words = ["list", short_name(inner), strategy, merge_key]
    elif inner or _is(_target(prop, schema), "object"):
        words = ["map", short_name(inner), strategy, merge_key]
    else:
        return "", ""
    while not words[-1]:
        words.pop()
    return " ".join(word or "-" for word in words), inner


def _may_become(old: str, new: str) -> bool:
    """The shape stays, and so do strategy and merge key once there are any."""
    old_shape, _, *old_rule = f"{old} -".split(" ")
    new_shape, _, *new_rule = f"{new} -".split(" ")
    return old_shape == new_shape and (len(old_rule) <= 1 or old_rule == new_rule)


def _structure(prop: dict[str, Any], schema: Definitions) -> str:
    """Return the definition that *prop* refers to, if that has fields."""
    name = str(prop.get("$ref", "")).removeprefix(_REF)
    return name if name and schema[name].get("properties") else ""


def _target(prop: dict[str, Any], schema: Definitions) -> dict[str, Any]:
    name = str(prop.get("$ref", "")).removeprefix(_REF)
    return schema[name] if name else prop


def _is(prop: dict[str, Any], json_type: str) -> bool:
    declared = prop.get("type", ())
    return json_type in ([declared] if isinstance(declared, str) else declared)


def render() -> str:
    """Return the file's text: one type a line, so that a change shows well."""
    schema = build(minors())
    lines = ["{"]
    for name, content in schema.items():
        entries = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
        lines += [f" {json.dumps(name)}: {{", ",\n".join(entries), " }" + "," * (name == "kinds")]
    return "\n".join([*lines, "}", ""])


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
