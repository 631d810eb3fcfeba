"""In which order a patched list stands, as kubectl decides it. Merging does not belong here.

The rules are those of apimachinery's strategicpatch (normalizeElementOrder): the elements that
the patch names stand in the patch's order, the others in theirs, and the two are interleaved by
where they stood in the original. New elements so come before untouched ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcks.core.patching.json_value import Token


def arrange(
    items: Sequence[Any], tokens: Sequence[Token], wanted: Sequence[Token], was: Sequence[Token]
) -> list[Any]:
    """Return *items* in kubectl's order.

    *tokens* are those of the items, *wanted* those of the patch or of its order list, *was* those
    of the original list.
    """
    named, before = _positions(wanted), _positions(was)
    pairs = list(zip(tokens, items, strict=True))
    first = _sort([pair for pair in pairs if pair[0] in named], named)
    others = _sort([pair for pair in pairs if pair[0] not in named], before)
    return [item for _, item in _interleave(others, first, before)]


def _positions(tokens: Sequence[Token]) -> dict[Token, int]:
    found: dict[Token, int] = {}
    for position, item in enumerate(tokens):
        found.setdefault(item, position)
    return found


def _sort(pairs: list[tuple[Token, Any]], order: dict[Token, int]) -> list[tuple[Token, Any]]:
    if all(pair[0] in order for pair in pairs):
        return sorted(pairs, key=lambda pair: order[pair[0]])
    # Go's comparison says "less" whenever one of the two is unknown; its insertion sort then
    # moves elements in a way that no key can describe.
    result: list[tuple[Token, Any]] = []
    for pair in pairs:
        position = len(result)
        while position and _goes_before(pair[0], result[position - 1][0], order):
            position -= 1
        result.insert(position, pair)
    return result


def _goes_before(left: Token, right: Token, order: dict[Token, int]) -> bool:
    return left not in order or right not in order or order[left] < order[right]


def _interleave(
    others: list[tuple[Token, Any]], first: list[tuple[Token, Any]], before: dict[Token, int]
) -> list[tuple[Token, Any]]:
    result = []
    i = j = 0
    while i < len(others) and j < len(first):
        left, right = before.get(others[i][0]), before.get(first[j][0])
        if left is not None and right is not None and left < right:
            result.append(others[i])
            i += 1
        else:
            result.append(first[j])
            j += 1
    return [*result, *others[i:], *first[j:]]
