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
from collections.abc import Callable, Mapping
from textwrap import dedent
from typing import Any

from mcks.core.manifests.documents import read
from mcks.core.manifests.insertion import PLACEHOLDER, Inserted, Mistake, value_index
from mcks.core.manifests.misread import Misread, misread
from mcks.core.manifests.sandbox import interpolate, template_line
from mcks.core.objects import Manifest, metadata
from mcks.core.patching.patch import PATCH_TYPE, apply_patches
from mcks.errors import BadPatch, BadTemplate, Tell, at_once

_COLUMN = r"^column (\d+): "
_INDICATOR = "anchor|alias|tag|block scalar"
_NO_DICT_HERE = (
    "To add a dict to other keys, write {% for k, v in x.items() %}, a line with {{ k }}: {{ v }}, "
    "and {% endfor %}"
)
_NO_VALUE_HERE = (
    "{{ }} cannot be part of an anchor (&), an alias (*), a tag (!) or a block's indicator (| or >)"
)


def render(key: str, template: str, variables: Mapping[str, Any]) -> list[Manifest]:
    """Render the text *template*, named *key*, to its documents; empty ones are dropped.

    The text may be indented as a whole. What is returned belongs to the caller.
    Raises BadTemplate with key and line.
    """
    text, values = _interpolated(key, template, variables)
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


def render_text(key: str, template: str, variables: Mapping[str, Any]) -> str:
    """Render *template*, named *key*, to a text of one line or more: a name, a URL.

    Raises BadTemplate with key and line.
    """
    text, values = _interpolated(key, template, variables)
    return PLACEHOLDER.sub(lambda place: str.__str__(values[value_index(place[0])]), text)


def render_objects(
    templates: Mapping[str, str],
    patches: Mapping[str, str],
    variables: Mapping[str, Any],
    *,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    translate: Callable[[list[Manifest]], list[Manifest]] = list,
    tell: Tell = at_once,
) -> list[Manifest]:
    """Render all *templates* in the order of their keys, mark the objects, apply all *patches*.

    Each object has *labels* and *annotations* before the patches, which may look at them, and
    after: they win. *translate* may change the rendered objects before that. Several documents in
    a patch are several patches.

    Raises BadTemplate or BadPatch with the key that is to blame: for what cannot be rendered or
    applied, an object without apiVersion, kind or name, two objects of one name, and a number or
    boolean where Kubernetes wants a string. *tell* may take each of these mistakes instead: what
    has one is left out then.
    """
    objects = translate(_objects(templates, variables, tell))
    for manifest in objects:
        _mark(manifest, labels, annotations)
    patched = apply_patches(objects, _patches(patches, variables, tell), tell)
    for before, manifest in zip(objects, patched, strict=True):
        if manifest is not before:
            _mark(manifest, labels, annotations)
    return patched


def _interpolated(
    key: str, template: str, variables: Mapping[str, Any]
) -> tuple[str, list[Inserted]]:
    try:
        return interpolate(template, variables)
    except Mistake as exc:
        raise BadTemplate(exc.message, key=key, line=exc.line) from exc


def _objects(
    templates: Mapping[str, str], variables: Mapping[str, Any], tell: Tell
) -> list[Manifest]:
    objects: list[Manifest] = []
    origins: dict[tuple[str, ...], str] = {}
    for key in sorted(templates):
        try:
            objects += _of_template(key, templates[key], variables, origins)
        except BadTemplate as exc:
            tell(exc)
    return objects


def _of_template(
    key: str, template: str, variables: Mapping[str, Any], origins: dict[tuple[str, ...], str]
) -> list[Manifest]:
    """Render one template; *origins* has the objects that are there, and gets its own."""
    documents = render(key, template, variables)
    own: dict[tuple[str, ...], str] = {}
    for number, manifest in enumerate(documents, 1):
        try:
            identity = _identity(manifest)
        except Mistake as exc:
            raise BadTemplate(f"document {number}: {exc.message}", key=key) from exc
        if identity in origins or identity in own:
            twice = origins.get(identity, key)
            same = f"{manifest['kind']} {manifest['metadata']['name']!r}"
            raise BadTemplate(
                f"document {number} is the {same} that template {twice!r} makes. "
                "Rename one of them, or set one of the keys to None",
                key=key,
            )
        own[identity] = key
    origins |= own
    return documents


def _identity(manifest: Manifest) -> tuple[str, ...]:
    """Return group, kind, namespace and name, which no two objects share, or raise Mistake."""
    if found := misread(manifest):
        raise Mistake(f"{found.path} {_quote_it(found)}")
    version, kind, meta = manifest.get("apiVersion"), manifest.get("kind"), metadata(manifest)
    name = meta.get("name") if type(meta) is dict else None
    if not (version and kind and name and type(version) is type(kind) is type(name) is str):
        raise Mistake(_what_is_missing(manifest))
    return version.rpartition("/")[0], kind, _namespace(meta), name


def _namespace(meta: dict[str, Any]) -> str:
    namespace = meta.get("namespace") or ""
    if type(namespace) is not str:
        raise Mistake("metadata.namespace is not a text")
    for field in ("labels", "annotations"):
        if (said := meta.get(field)) and type(said) is not dict:
            raise Mistake(f"metadata.{field} is not a mapping. Write lines like name: value")
    return namespace


def _what_is_missing(manifest: Manifest) -> str:
    for field, example in (("apiVersion", "v1"), ("kind", "ConfigMap")):
        if not manifest.get(field) or not isinstance(manifest[field], str):
            return f"has no {field}. Write it without indentation, e.g. {field}: {example}"
    remedy = "Write metadata: and, below it and indented, name: {{key}}"
    if manifest["kind"].endswith("List"):
        remedy = "Write its items as documents of their own, with a line --- between them"
    return f"this {manifest['kind']} has no metadata.name. {remedy}"


def _patches(
    patches: Mapping[str, str], variables: Mapping[str, Any], tell: Tell
) -> list[tuple[str, Manifest]]:
    documents: list[tuple[str, Manifest]] = []
    for key in sorted(patches):
        try:
            documents += _of_patch(key, patches[key], variables)
        except BadPatch as exc:
            tell(exc)
    return documents


def _of_patch(key: str, patch: str, variables: Mapping[str, Any]) -> list[tuple[str, Manifest]]:
    try:
        rendered = render(key, patch, variables)
    except BadTemplate as exc:
        where = f"line {exc.line}" if exc.line else ""
        raise BadPatch(exc.message, key=key, path=where) from exc
    for document in rendered:
        if found := misread(document, custom=_is_custom(document)):
            raise BadPatch(_quote_it(found), key=key, path=found.path)
    return [(key, document) for document in rendered]


def _is_custom(patch: Manifest) -> bool:
    """Tell a patch for a custom resource, which may leave out the apiVersion, by its type."""
    meta = patch.get("metadata")
    annotations = meta.get("annotations") if isinstance(meta, dict) else None
    return isinstance(annotations, dict) and annotations.get(PATCH_TYPE) == "merge"


def _mark(manifest: Manifest, labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
    meta = manifest["metadata"]
    for field, ours in (("labels", labels), ("annotations", annotations)):
        if ours:
            meta[field] = {**(meta.get(field) or {}), **ours}


def _quote_it(found: Misread) -> str:
    what = f"the number {_json(found.value)}"
    if isinstance(found.value, bool):
        what = f"the boolean {_json(found.value)} (as yes, no, on, off, y and n are in YAML)"
    place = "-" if found.field is None else f"{found.field}:"
    return f'is {what}, but Kubernetes wants a string there. Quote it: {place} "..."'


def _readable(error: BadTemplate | Mistake, text: str) -> str:
    """Say *error*, met in the rendered *text*, in terms of the template."""
    message = PLACEHOLDER.sub("{{ }}", error.message)
    column = re.match(_COLUMN, message)
    if column is None or error.line is None:
        return message
    rest = message[column.end() :]
    lines = text.split("\n")[: error.line]
    problem = rest.partition(". ")[0]
    if any(PLACEHOLDER.fullmatch(line.strip().removeprefix("<<: ")) for line in lines[-2:]):
        return f"{problem}. {_NO_DICT_HERE}"
    if PLACEHOLDER.search(lines[-1]):  # so the column is not the template's
        return f"{problem}. {_NO_VALUE_HERE}" if re.search(_INDICATOR, problem) else rest
    margin = len(lines[-1]) - len(dedent(text).split("\n")[len(lines) - 1])
    return f"column {int(column[1]) + margin}: {rest}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
