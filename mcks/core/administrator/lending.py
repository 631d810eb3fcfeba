"""Settings that all spawners of a hub hold together, until one of them is given its own.

traitlets copies each value of the configuration for each object. For what grows with the hub, as
clusters and profiles do, that is paid again for each server. So such traits are *lent*: one value
for all, which ``read`` gives to look at. Whoever else takes the trait, as a hook does, gets a copy
that is this spawner's own from then on, and may change it: nobody else sees that. Nor does each
spawner find out anew which of its traits may be configured.

Which traits these are (settings.py) does not belong here.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

from traitlets import (
    Bool,
    Callable,
    Dict,
    Enum,
    Float,
    HasTraits,
    Int,
    TraitType,
    Unicode,
    Union,
)
from traitlets.config import Config
from traitlets.config.loader import DeferredConfig, LazyConfigValue
from traitlets.traitlets import DefaultHandler

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_SIMPLE = frozenset({Bool, Callable, Enum, Float, Int, Unicode})
_SCALARS = frozenset({bool, float, int, str, type(None)})


class Loan:
    """A value on its way into a trait: as it is *said*, and then as the trait takes it."""

    def __init__(self, said: Any) -> None:
        self.said = said
        self.taken: Any = None
        self.is_checked = False

    def __deepcopy__(self, _: object) -> Loan:
        return self


class Lent:
    """Part of a trait: it may hold what is lent to it."""

    name: str | None

    def validate(self, obj: Any, value: Any) -> Any:
        """Check what is lent once for all."""
        if not isinstance(value, Loan):
            return super().validate(obj, value)  # type: ignore[misc]
        if not value.is_checked:
            value.taken = super().validate(obj, value.said)  # type: ignore[misc]
            value.is_checked = True
        return value.taken

    def set(self, obj: Any, value: Any) -> None:
        """Hold *value*, which is lent or the object's own."""
        super().set(obj, value)  # type: ignore[misc]
        _note(obj, self.name, lent=isinstance(value, Loan))

    def get(self, obj: Any, cls: Any = None) -> Any:
        """Give the object's own value, which is a copy if one was lent."""
        value = super().get(obj, cls)  # type: ignore[misc]
        if is_lent(obj, self.name):
            value = obj._trait_values[self.name] = copy.deepcopy(value)
            _note(obj, self.name, lent=False)
        return value


class LentDict(Lent, Dict):
    """A dict that may be lent."""


class LentUnion(Lent, Union):
    """A value of several kinds that may be lent."""


class Borrower:
    """Part of a spawner: it is lent what its configuration says of such traits."""

    _to_lend: dict[str, Any] | None = None

    def traits(self, **metadata: Any) -> dict[str, TraitType[Any, Any]]:
        """Return the traits as traitlets does, which asks for the configurable ones each time."""
        if metadata != {"config": True}:
            found: dict[str, TraitType[Any, Any]] = super().traits(**metadata)  # type: ignore[misc]
            return found
        known = _configurable.get(type(self))
        if known is None:
            known = _configurable[type(self)] = super().traits(**metadata)  # type: ignore[misc]
        return dict(known)

    def _find_my_config(self, cfg: Config) -> Config:
        found: Config = super()._find_my_config(cfg)  # type: ignore[misc]
        if self._to_lend is not None:
            self._to_lend = lendable(type(self), found)
            for name in self._to_lend:
                del found[name]
        return found

    def _load_config(self, cfg: Config, *args: Any, **kwargs: Any) -> None:
        """Take what is lent after the rest: while traitlets loads, it would make copies."""
        self._to_lend = {}
        try:
            super()._load_config(cfg, *args, **kwargs)  # type: ignore[misc]
            for name, value in self._to_lend.items():
                setattr(self, name, _loan(type(self), name, value))
        finally:
            del self._to_lend


def lendable(cls: type, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is *said* in a configuration of those traits of *cls* that may be lent."""
    return {
        name: said[name]
        for name in _lent_names(cls) & said.keys()
        if not isinstance(said[name], LazyConfigValue | DeferredConfig)
    }


def is_lent(obj: Any, name: str | None) -> bool:
    """Whether the trait *name* of *obj* holds a value of all."""
    return name in getattr(obj, "_lent", ())


def _note(obj: Any, name: str | None, *, lent: bool) -> None:
    """Note whether the trait *name* of *obj* is lent; all of whom that is said alike share it."""
    before = frozenset(obj.__dict__.get("_lent", ()))
    after = before | {name} if lent else before - {name}
    if after != before:
        obj.__dict__["_lent"] = _sets.setdefault(after, after)


def read(obj: Any, name: str) -> Any:
    """Return the trait *name* to look at, not to change: a default is not kept for that.

    It is faster than to take the trait, and makes no default of its own where all have the same.
    """
    values = getattr(obj, "_trait_values", _NOTHING)
    if name in values:
        return values[name]
    cls: type = type(obj)
    defaults = _defaults_of(cls)
    if name in defaults:
        return defaults[name]
    return obj.trait_defaults(name) if name in _lent_names(cls) else getattr(obj, name)


def give(obj: Any, name: str, value: Any) -> None:
    """Set the trait *name* to *value*, parts of which may be those of others. Raises TraitError."""
    cls: type = type(obj)
    setattr(obj, name, Loan(value) if name in _lent_names(cls) else value)


_configurable: WeakKeyDictionary[type, dict[str, TraitType[Any, Any]]] = WeakKeyDictionary()
_sets: dict[frozenset[str | None], frozenset[str | None]] = {}
_loans: WeakKeyDictionary[type, dict[str, Loan]] = WeakKeyDictionary()


@cache
def _lent_names(cls: type) -> frozenset[str]:
    traits = cls.class_traits() if issubclass(cls, HasTraits) else {}
    return frozenset(
        name for name, trait in traits.items() if isinstance(trait, LentDict | LentUnion)
    )


@cache
def _defaults_of(cls: type) -> Mapping[str, Any]:
    """Return the defaults of traits of *cls* that are the same for each object: nobody makes one,
    and it is as it is said."""
    if not issubclass(cls, HasTraits):
        return _NOTHING
    made = makes_defaults_of(cls)
    return {
        name: trait.default_value
        for name, trait in cls.class_traits().items()
        if type(trait) in _SIMPLE and type(trait.default_value) in _SCALARS and name not in made
    }


@cache
def makes_defaults_of(cls: type) -> frozenset[str]:
    """Name the traits for which *cls*, or what it is made of, has a method that makes a default."""
    parts = [(name, part) for base in cls.__mro__ for name, part in vars(base).items()]
    handled = {part.trait_name for _, part in parts if isinstance(part, DefaultHandler)}
    named = {name[1:-8] for name, _ in parts if name[:1] == "_" and name[-8:] == "_default"}
    return frozenset(handled | named)


def _loan(cls: type, name: str, configured: Any) -> Loan:
    """Return the loan of all whose configuration says the same; it may be changed at any time."""
    loans = _loans.setdefault(cls, {})
    known = loans.get(name)
    if known is None or known.said != configured:
        known = loans[name] = Loan(copy.deepcopy(configured))
    return known
