"""Patches: which object each one is meant for, and what it makes of it.

The merging itself is in `strategic` and `json_merge`; reading YAML is not here. What kubectl
calls a patch is a function for each type (``strategic_merge``, ``json_merge``): mcks applies many
at once and refuses more, the tests compare one at a time with kubectl.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from mcks.core.objects import Manifest
from mcks.core.patching import json_merge as rfc7386
from mcks.core.patching import patch_schema, strategic
from mcks.core.patching.json_value import Refused, plain, word
from mcks.errors import BadPatch, NoTarget, Tell, at_once, unknown

PATCH_TYPE = "mcks.hub.jupyter.org/patch-type"
"""Annotation of a patch: ``strategic`` (the default) or ``merge``, for custom resources."""

OPTIONAL = "mcks.hub.jupyter.org/optional"
"""Annotation of a patch: ``"true"`` if its target may be absent."""

_DIRECTIVES = (
    strategic.PATCH,
    strategic.RETAIN_KEYS,
    strategic.SET_ELEMENT_ORDER,
    strategic.DELETE_FROM_PRIMITIVE_LIST,
)


def strategic_merge(original: Manifest, patch: Mapping[str, Any]) -> Manifest:
    """Return what ``kubectl patch --local --type strategic`` makes of *original*.

    The schema is that of the original's apiVersion and kind. Neither input is changed, nor does
    the result share anything with them. As with kubectl, directives inside added content stay in
    the result, and a patch may change kind and name; apply_patches refuses both.

    Raises BadPatch with kubectl's words and the path.
    """
    try:
        return _strategic(plain(original), plain(patch))
    except Refused as e:
        raise _bad_patch(e, "") from None


def json_merge(original: Manifest, patch: Mapping[str, Any]) -> Manifest:
    """Return what ``kubectl patch --local --type merge`` (RFC 7386) makes of *original*.

    Any kind will do; lists are replaced as a whole. Neither input is changed, nor does the result
    share anything with them. Raises BadPatch where a value is not JSON, or no kind is left.
    """
    try:
        return _with_kind(rfc7386.merge(plain(original), plain(patch)))
    except Refused as e:
        raise _bad_patch(e, "") from None


class _NoTarget(Refused):
    """The object that a patch is for is not there."""


def apply_patches(
    objects: Sequence[Manifest], patches: Sequence[tuple[str, Manifest]], tell: Tell = at_once
) -> list[Manifest]:
    """Apply each patch, in order, to the object of its kind and ``metadata.name``.

    *patches* are pairs of the patch's name in the configuration and its document. apiVersion and
    namespace must match as well if the patch names them. The annotations PATCH_TYPE and OPTIONAL
    are followed and taken out. No input is changed; an object that no patch is meant for is
    returned as it is, a patched one shares nothing with the inputs.

    Raises BadPatch with the patch's name and the path: for an absent target, for what kubectl
    refuses, for a result with another identity, and for one that still holds a ``$`` directive.
    *tell* may take that instead: the patch is then left out.
    """
    result = list(objects)
    for key, patch in patches:
        try:
            _apply(result, patch)
        except Refused as e:
            tell(_bad_patch(e, key))
    return result


def _apply(objects: list[Manifest], patch: Any) -> None:
    if not isinstance(patch, Mapping):
        raise Refused(f"a patch is a map with kind and metadata.name, not a {word(patch)}")
    change = plain(patch)
    patch_type, optional = _take_annotations(change)
    position = _find(objects, change, optional=optional)
    if position is None:
        return
    target = objects[position]
    directives = list(_directives(change, strict=patch_type == "strategic"))
    if patch_type == "merge":
        patched = _with_kind(rfc7386.merge(plain(target), change))
    else:
        patched = _strategic(plain(target), change)
    _check_identity(target, patched)
    if directives:
        _check_leftovers(target, patched, strict=patch_type == "strategic")
    objects[position] = patched


def _take_annotations(patch: Manifest) -> tuple[str, bool]:
    """Take our annotations out of *patch*; return its type and whether it is optional."""
    meta = patch.get("metadata")
    annotations = meta.get("annotations") if isinstance(meta, dict) else None
    if not isinstance(annotations, dict) or not {PATCH_TYPE, OPTIONAL} & annotations.keys():
        return "strategic", False
    patch_type = annotations.pop(PATCH_TYPE, "strategic")
    optional = annotations.pop(OPTIONAL, "false")
    if not annotations:
        del patch["metadata"]["annotations"]
    if patch_type not in ("strategic", "merge"):
        raise Refused(unknown("patch type", str(patch_type), ["strategic", "merge"]))
    if optional not in ("true", "false"):
        raise Refused(f'{OPTIONAL} must be "true" or "false", in quotes')
    return patch_type, optional == "true"


def _find(objects: Sequence[Manifest], patch: Manifest, *, optional: bool) -> int | None:
    """Return the position of the patch's target, None where it may be absent and is."""
    wanted = _identity(patch)
    if not all(isinstance(wanted[part], str) and wanted[part] for part in ("kind", "name")):
        text = "the patch must say which object it is for: give kind and metadata.name as strings"
        raise Refused(text)
    named = {part: value for part, value in wanted.items() if value is not None}
    found = [
        i
        for i, item in enumerate(objects)
        if item.get("kind") == wanted["kind"] and named.items() <= _identity(item).items()
    ]
    if len(found) > 1:
        places = ", ".join(_describe(objects[i]) for i in found)
        text = f"matches more than one object: {places}. Name apiVersion or namespace too"
        raise Refused(text)
    if not found and not optional:
        raise _NoTarget(_no_target(objects, patch))
    return found[0] if found else None


def _no_target(objects: Sequence[Manifest], patch: Manifest) -> str:
    known = [_describe(item) for item in objects]
    text = unknown("target", _describe(patch), known)
    return f'{text}. If it may be absent, annotate the patch with {OPTIONAL}: "true"'


def _identity(manifest: Mapping[str, Any]) -> dict[str, Any]:
    meta = manifest.get("metadata")
    if type(meta) is not dict and not isinstance(meta, Mapping):
        meta = {}
    return {
        "apiVersion": manifest.get("apiVersion"),
        "kind": manifest.get("kind"),
        "namespace": meta.get("namespace"),
        "name": meta.get("name"),
    }


def _describe(manifest: Mapping[str, Any]) -> str:
    parts = _identity(manifest)
    return "/".join(str(value) for value in parts.values() if value is not None)


def _strategic(original: Manifest, patch: Manifest) -> Manifest:
    api_version, kind = original.get("apiVersion", ""), original.get("kind", "")
    type_name = patch_schema.type_of(str(api_version), str(kind))
    if type_name is None:
        raise Refused(_no_schema(str(api_version), str(kind)))
    return _with_kind(strategic.merge(original, patch, type_name))


def _no_schema(api_version: str, kind: str) -> str:
    group, _, version = api_version.rpartition("/")
    same_kind = [known for known, name in patch_schema.kinds() if name == kind]
    known_kinds = {name for known, name in patch_schema.kinds() if known == api_version}
    near = same_kind or get_close_matches(kind, known_kinds, n=1)
    hint = f" (Kubernetes' own are: {', '.join(near)})" if near else ""
    return (
        f"strategic merge patch is not supported for {group}/{version}, Kind={kind} locally, "
        f"try --type merge{hint}. For a custom resource annotate the patch with "
        f"{PATCH_TYPE}: merge; lists are then replaced as a whole"
    )


def _with_kind(result: Manifest) -> Manifest:
    if not isinstance(result.get("kind"), str) or not result["kind"]:
        text = "Object 'Kind' is missing after this patch. A patch cannot remove a whole object"
        raise Refused(text)
    return result


def _check_identity(target: Manifest, patched: Manifest) -> None:
    before, after = _identity(target), _identity(patched)
    for part, value in before.items():
        if after[part] != value:
            path = f"metadata.{part}" if part.startswith("name") else part
            text = f"would change {path} from {value!r} to {after[part]!r}"
            raise Refused(f"{text}. Change the object's template instead")


def _check_leftovers(target: Manifest, patched: Manifest, *, strict: bool) -> None:
    known = set(_directives(target, strict=strict))
    for path in _directives(patched, strict=strict):
        if path in known:
            continue
        *place, name = path
        near = get_close_matches(name.partition("/")[0], _DIRECTIVES, n=1, cutoff=0.5)
        if near and name.startswith(near[0]):
            text = f"the directive {name!r} has no effect here and would stay in the object"
            remedy = "In added content there is nothing to steer: leave it out"
        else:
            text = f"{name!r} is no directive and would stay in the object"
            remedy = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(_DIRECTIVES)}"
        raise Refused(f"{text}. {remedy}", [*place, name])


def _directives(
    value: Any, *, strict: bool, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Yield the paths of all keys that begin with ``$``; of the known directives if not *strict*.

    No field, label, annotation or ConfigMap key of Kubernetes' own kinds may begin with ``$``, so
    in a strategic patch such a key is a directive or a typo of one. Custom resources are free to
    have a field ``$ref``.
    """
    if type(value) is dict:
        for key, item in value.items():
            if key[:1] == "$" and (strict or key.partition("/")[0] in _DIRECTIVES):
                yield (*path, key)
            yield from _directives(item, strict=strict, path=(*path, key))
    elif type(value) is list:
        for index, item in enumerate(value):
            yield from _directives(item, strict=strict, path=(*path, f"[{index}]"))


def _bad_patch(error: Refused, key: str) -> BadPatch:
    path = "".join(step if step.startswith("[") else f".{step}" for step in error.path)
    kind = NoTarget if isinstance(error, _NoTarget) else BadPatch
    return kind(error.message, key=key, path=path.removeprefix("."))
