"""Lengths of time, and places in a queue, as people write them. Pure."""

from __future__ import annotations

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def span(seconds: float) -> str:
    """Write a length of time by its two largest units.

    >>> span(8 * 3600), span(5400), span(129600), span(45.7)
    ('8 h', '1 h 30 min', '1 d 12 h', '45 s')
    """
    rest, parts = int(seconds), []
    for length, unit in _UNITS:
        count, rest = divmod(rest, length)
        parts.append((count, unit))
    first = next((i for i, (count, _) in enumerate(parts) if count), len(parts) - 1)
    told = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(told) or "0 s"


def ordinal(place: int) -> str:
    """Write a place in a queue.

    >>> ordinal(1), ordinal(2), ordinal(3), ordinal(11), ordinal(22), ordinal(113)
    ('1st', '2nd', '3rd', '11th', '22nd', '113th')
    """
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10)
    return f"{place}{ending or 'th'}"
