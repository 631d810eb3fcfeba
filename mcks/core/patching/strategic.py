"""Kubernetes' strategic merge patch, as kubectl 1.28 and later apply it locally.

Finding the target, annotations of ours and checks of the result belong into `patch`.

The rules, also the surprising ones, are those of mergeMap and mergeSlice in apimachinery's
strategicpatch. Four directives steer a merge: ``$patch`` (replace, delete), ``$retainKeys``,
``$setElementOrder/F`` and ``$deleteFromPrimitiveList/F``. Where kubectl panics, Refused is raised.

Two habits of Go are not followed: it finds fields whatever their case, and lets a list replace a
list where the field is a map or scalar, if Go holds that field by a pointer. Both are mistakes in
the object, and Refused says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from mcks.core.patching import list_order, patch_schema
from mcks.core.patching.json_value import (
    Refused,
    Token,
    element_type,
    token,
    without_nulls,
    wrong_type,
)
from mcks.core.patching.patch_schema import FREE_FORM, Field

PATCH = "$patch"
RETAIN_KEYS = "$retainKeys"
SET_ELEMENT_ORDER = "$setElementOrder"
DELETE_FROM_PRIMITIVE_LIST = "$deleteFromPrimitiveList"

Map = dict[str, Any]

_DROPPED = object()
_UNKNOWN_FIELD = (
    "Without a schema it cannot be merged: remove it in one patch and set it in the next"
)


def merge(original: Map, patch: Map, type_name: str) -> Map:
    """Merge *patch* into *original* by the schema of *type_name*, and return the result.

    Both are used up: they are changed, and the result is made of their parts. Raises Refused.
    """
    if PATCH in patch:
        return _whole(patch)
    if "$" in {key[:1] for key in patch}:
        _retain_keys(original, patch)
        for key in [key for key in patch if key.startswith(SET_ELEMENT_ORDER)]:
            try:
                _set_element_order(original, patch, key, type_name)
            except Refused as e:
                raise e.inside(key) from None
    for key, value in patch.items():
        try:
            _merge_field(original, key, value, type_name)
        except Refused as e:
            raise e.inside(key) from None
    return original


def _whole(patch: Map) -> Map:
    directive = patch.pop(PATCH)
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    raise _unknown_directive(directive, "map").inside(PATCH)


def _unknown_directive(directive: Any, what: str) -> Refused:
    return Refused(
        f"unknown patch type: {directive!r} in {what}. Write '{PATCH}: replace' or "
        f"'{PATCH}: delete', or leave it out to merge"
    )


def _retain_keys(original: Map, patch: Map) -> None:
    """``$retainKeys``: keep only these keys of the original, and allow no other in the patch."""
    if RETAIN_KEYS not in patch:
        return
    names = patch.pop(RETAIN_KEYS)
    text = "invalid patch format of retainKeys. It must be a list of names"
    if type(names) is not list or any(type(name) in (dict, list) for name in names):
        raise Refused(text).inside(RETAIN_KEYS)
    exempt = (DELETE_FROM_PRIMITIVE_LIST, SET_ELEMENT_ORDER)
    for key, value in patch.items():
        if value is not None and key not in names and not key.startswith(exempt):
            raise Refused(f"{text} that includes {key!r}, as the patch sets it").inside(RETAIN_KEYS)
    for key in [key for key in original if key not in names]:
        del original[key]


def _merge_field(original: Map, key: str, value: Any, type_name: str) -> None:
    deleting = key.startswith(DELETE_FROM_PRIMITIVE_LIST)
    if deleting:
        key = _list_name(key, DELETE_FROM_PRIMITIVE_LIST, "primitive") or key
    if value is None:
        original.pop(key, None)
    elif key not in original or type(original[key]) is not type(value):
        if not deleting:
            _take_over(original, key, without_nulls(value))
    elif type(value) is dict:
        field = _field(type_name, key)
        if field.strategy == "replace":
            original[key] = value
        else:
            inner = FREE_FORM if field.is_list else field.type_name
            original[key] = merge(original[key], value, inner)
    elif type(value) is list:
        field = _list_field(type_name, key)
        if field.strategy == "merge" or deleting:
            original[key], _ = _merge_list(original[key], value, field, deleting=deleting)
        else:
            original[key] = value
    else:
        original[key] = value


def _list_name(key: str, prefix: str, what: str) -> str:
    """Return F of ``$prefix/F``."""
    start, slash, name = key.partition("/")
    if start != prefix or not slash:
        text = f"invalid patch format of {what} list: {key!r}. Write '{prefix}/FIELD'"
        raise Refused(text)
    return name


def _take_over(original: Map, key: str, value: Any) -> None:
    kept = _without_directives(value)
    if kept is _DROPPED:
        original.pop(key, None)
    else:
        original[key] = kept


def _without_directives(value: Any) -> Any:
    """Drop every map that holds ``$patch``; in added content there is nothing to steer."""
    if type(value) is dict:
        if PATCH in value:
            return _DROPPED
        pairs = ((key, _without_directives(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not _DROPPED}
    if type(value) is list:
        items = (_without_directives(item) for item in value)
        return [item for item in items if item is not _DROPPED]
    return value


def _field(type_name: str, key: str) -> Field:
    known = patch_schema.fields(type_name)
    if key in known:
        return known[key]
    if type_name == FREE_FORM:
        raise Refused(
            "merging an object in json but data type is not struct. Only strings, numbers and "
            "booleans are merged here: remove the field in one patch and set it in the next"
        )
    near = get_close_matches(key, known, n=2)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else _UNKNOWN_FIELD
    name = type_name.rpartition(".")[2]
    raise Refused(f'unable to find api field in struct {name} for the json field "{key}". {hint}')


def _list_field(type_name: str, key: str) -> Field:
    field = _field(type_name, key)
    if not field.is_list:
        raise Refused("expected slice or array type, but this field is no list. Give it a map")
    return field


def _merge_list(
    original: list[Any], patch: list[Any], field: Field, *, deleting: bool = False
) -> tuple[list[Any], list[Any]]:
    """Merge two lists; return the result and what `$setElementOrder` takes for the original."""
    if not original and not patch:
        return original, original
    if element_type(original, patch) is not dict:
        if deleting:
            gone = set(_tokens(patch, ""))
            return [item for item in original if token(item) not in gone], original
        if field.merge_key:
            raise wrong_type(dict, (original or patch)[0])
        return _merge_scalars(original, patch), original
    if not field.merge_key:
        raise Refused("cannot merge lists without merge key for struct. Write the whole list")
    return _merge_maps(original, patch, field)


def _merge_scalars(original: list[Any], patch: list[Any]) -> list[Any]:
    was, wanted = _tokens(original, ""), _tokens(patch, "")
    both = dict(zip(was + wanted, original + patch, strict=True))
    return list_order.arrange(list(both.values()), list(both), wanted, was)


def _merge_maps(original: list[Map], patch: list[Map], field: Field) -> tuple[list[Any], list[Any]]:
    key = field.merge_key
    left, patch, replaced = _special_elements(original, patch, key)
    if replaced:
        merged, was, patch = patch, patch, []
    else:
        merged, was = _merge_elements(left, patch, field), left
    arranged = list_order.arrange(
        merged, _tokens(merged, key), _tokens(patch, key), _tokens(was, key)
    )
    # kubectl's Go slices share memory: after d deletions the first d added elements count as
    # the end of the original where $setElementOrder looks for it.
    deletions = len(original) - len(left)
    added = [] if replaced else merged[len(left) :]
    return arranged, left + added[:deletions]


def _special_elements(
    original: list[Map], patch: list[Map], key: str
) -> tuple[list[Map], list[Map], bool]:
    """Execute ``$patch`` elements: return what is left, the other elements, and if they replace."""
    others, left, replaced = [], original, False
    for element in patch:
        if PATCH not in element:
            others.append(element)
            continue
        directive = element[PATCH]
        if directive == "delete":
            gone = token(_value_of(element, key))
            left = [item for item in left if key not in item or token(item[key]) != gone]
        elif directive == "replace":
            replaced = True
        elif directive == "merge":
            text = "merging lists cannot yet be specified in the patch. It merges anyway"
            raise Refused(f"{text}: leave '{PATCH}: merge' out")
        else:
            raise _unknown_directive(directive, "list element")
    return left, others, replaced


def _merge_elements(left: list[Map], patch: list[Map], field: Field) -> list[Map]:
    """Merge each element of *patch* into the first with its key, or append it."""
    key = field.merge_key
    result = list(left)
    for element in patch:
        value = _value_of(element, key)
        wanted = token(value)
        found = next(
            (i for i, item in enumerate(result) if key in item and token(item[key]) == wanted),
            None,
        )
        if found is None:
            result.append(element)
            continue
        try:
            result[found] = merge(result[found], element, field.type_name)
        except Refused as e:
            raise e.inside(f"[{key}={value}]") from None
    return result


def _set_element_order(original: Map, patch: Map, directive: str, type_name: str) -> None:
    order = patch.pop(directive)
    _require_list(order)
    name = _list_name(directive, SET_ELEMENT_ORDER, "setElementOrder")
    before, change = original.get(name), patch.get(name)
    for value, present in ((before, name in original), (change, name in patch)):
        if present:
            _require_list(value)
    field = _list_field(type_name, name)
    _check_order(change or [], order, field.merge_key)
    if before is None and change is None:
        return
    if before is None:
        merged, was = _without_directives(change), []
    elif change is None:
        merged, was = before, before
    elif field.strategy == "merge":
        merged, was = _merge_list(before, change, field)
    else:
        merged, was = change, before
    if not before and not change:
        text = "no elements in any of the given slices. Leave the order of an empty list out"
        raise Refused(text)
    kind = element_type(was or before or [], change or [])
    key = field.merge_key
    if kind is dict and not key:
        raise Refused("this list has no merge key, so its elements cannot be ordered")
    original[name] = list_order.arrange(
        merged, _tokens(merged, key), _tokens(order, key), _tokens(was, key)
    )
    patch.pop(name, None)


def _require_list(value: Any) -> None:
    if type(value) is not list:
        raise wrong_type(list, value)


def _check_order(patch: list[Any], order: list[Any], key: str) -> None:
    """The patch's elements, but those with ``$patch``, must stand in the order list's order."""
    if not order or not patch:
        return
    if key:
        for element in patch:
            if type(element) is not dict:
                raise wrong_type(dict, element)
        patch = [element for element in patch if element.get(PATCH) != "delete"]
    position = 0
    for element in patch:
        if position < len(order) and type(element) is dict and PATCH in element:
            continue
        wanted = None if position >= len(order) else _compared(element, key)
        while position < len(order) and _compared(order[position], key) != wanted:
            position += 1
        if position >= len(order):
            raise Refused(
                f"The order in patch list doesn't match {SET_ELEMENT_ORDER} list. "
                "Name each element of the patch in it, in the same order"
            )
        position += 1


def _compared(element: Any, key: str) -> Token:
    return token(_value_of(element, key) if key else element)


def _tokens(items: Iterable[Any], key: str) -> list[Token]:
    return [_compared(item, key) for item in items]


def _value_of(element: Any, key: str) -> Any:
    if type(element) is not dict:
        raise wrong_type(dict, element)
    if key not in element:
        fields = ", ".join(element) or "no fields"
        raise Refused(
            f"map: ({fields}) does not contain declared merge key: {key}. "
            f"Give every element of this list its {key!r}"
        )
    return element[key]
