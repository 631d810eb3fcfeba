"""What traitlets takes without a word and nobody means. Pure.

What else is wrong with a setting does not belong here.
"""

from __future__ import annotations

from typing import Any

from traitlets import HasTraits, List, TraitError


def refuse_text_as_list(of: HasTraits, name: str, value: Any) -> None:
    """Raise TraitError for a text where the trait *name* is a list: it would be its letters."""
    trait = of.traits().get(name)
    if isinstance(value, str) and isinstance(trait, List) and type(trait) is List:
        kind = type(of).__name__
        raise TraitError(
            f"The {name!r} trait of a {kind} instance expected a list, not the str {value!r}: "
            f"write [{value!r}]"
        )
