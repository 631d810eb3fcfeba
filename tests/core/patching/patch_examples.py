"""Hypothesis strategies that make an object and a patch for it, with all kinds of mischief.

They are steered by the same kind of table as `mcks.core.patching.patch_schema`, but made of one
Kubernetes minor only, so that a kubectl of that minor knows every field. They stay clear of what is
named here, where kubectl itself is no reference:

- a list on both sides of a field that is a map (Go looks at whether the field is a pointer);
- a map or list as a merge key or as a scalar list's element on both sides (kubectl panics);
- F and $deleteFromPrimitiveList/F of one list in one patch (a coin toss: Go's map order);
- equal values in a scalar list of the original (the result hangs on a Go slice's capacity).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

from mcks.core.patching import patch_schema
from mcks.core.patching.patch_schema import Field
from tests.generate import patch_schema as generator

KINDS = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "PersistentVolume"),
    ("v1", "Namespace"),
    ("v1", "Node"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("v1", "ReplicationController"),
    ("v1", "PodTemplate"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("policy/v1", "PodDisruptionBudget"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("storage.k8s.io/v1", "CSINode"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
    ("resource.k8s.io/v1", "ResourceClaim"),
)

_SCALARS = ("x", "y", "", 0, 1, 2.5, True, False)
_KEYS = ("a", "b", "c", "d", 80, "80", 443)
_NAMES = ("alpha", "beta", "gamma")
_FREE_FORM = ("app", "tier", "zone")

Table = dict[str, dict[str, Field]]
Kinds = dict[tuple[str, str], str]
Example = tuple[dict[str, Any], dict[str, Any]]


def table(minor: int) -> tuple[Table, Kinds]:
    """Return the fields of all types in v1.*minor*, and the type of each of KINDS it has."""
    content = generator.build({minor: generator.definitions(minor)})
    types = {
        name: {field: patch_schema._field(words) for field, words in fields.items()}
        for name, fields in content["types"].items()
    }
    found = {
        (version, kind): content["kinds"][version][kind]
        for version, kind in KINDS
        if kind in content["kinds"].get(version, {})
    }
    return types, found


class Choices:
    """What a strategy decides, in words; the first of several is the simplest."""

    def __init__(self, number: Callable[[int], int]) -> None:
        self._number = number
        """Returns a number from 0 up to, but not including, the one given."""

    def chance(self, percent: int) -> bool:
        return self._number(100) >= 100 - percent

    def one(self, items: Sequence[Any]) -> Any:
        return items[self._number(len(items))]

    def some(self, items: Sequence[Any], most: int) -> list[Any]:
        """Draw some different items, in any order."""
        left = list(items)
        count = self._number(min(most, len(left)) + 1)
        return [left.pop(self._number(len(left))) for _ in range(count)]


class Objects:
    """Makes objects of one kind."""

    def __init__(self, choices: Choices, types: Table) -> None:
        self.choices = choices
        self.types = types
        self._rich: dict[Field, bool] = {}

    def named_fields(self, type_name: str, most: int) -> list[str]:
        """Draw fields of a type; those that merge, or lead to such, come five times as often."""
        fields = {k: v for k, v in self.types.get(type_name, {}).items() if k != "managedFields"}
        rich = [name for name, field in fields.items() if self.is_rich(field)]
        return list(dict.fromkeys(self.choices.some([*rich * 4, *fields], most)))

    def is_rich(self, field: Field) -> bool:
        """Say whether *field*, or anything inside it, has a strategy."""
        if field not in self._rich:
            self._rich[field] = bool(field.strategy)
            inner = self.types.get(field.type_name, {}).values()
            self._rich[field] = bool(field.strategy) or any(self.is_rich(item) for item in inner)
        return self._rich[field]

    def map(self, type_name: str, depth: int) -> dict[str, Any]:
        if not type_name:
            return {k: self.scalar() for k in self.choices.some(_FREE_FORM, 3)}
        result: dict[str, Any] = {}
        if depth:
            for name in self.named_fields(type_name, 3):
                result[name] = self.field(self.types[type_name][name], depth - 1)
        for name in self.choices.some(_NAMES, 2):
            result[name] = None if self.choices.chance(8) else self.scalar()
        return result

    def field(self, field: Field, depth: int) -> Any:
        if self.choices.chance(4):
            return self.choices.one([None, "x", 1])
        return self.list(field, depth) if field.is_list else self.map(field.type_name, depth)

    def list(self, field: Field, depth: int) -> list[Any]:
        if not field.merge_key:
            if field.strategy == "merge" or self.choices.chance(40):
                return self.choices.some(("p", "q", "r", "s"), 4)
            return [self.map("", 0) for _ in self.choices.some("123", 2)]
        keys = self.choices.some(_KEYS, 6) or self.choices.some(_KEYS, 3)
        elements = [self.element(field, key, depth) for key in keys]
        if elements and self.choices.chance(6):
            elements.append(self.element(field, keys[0], depth))
        return elements

    def element(self, field: Field, key: Any, depth: int) -> dict[str, Any]:
        element = {field.merge_key: key, **self.map(field.type_name, depth)}
        element[field.merge_key] = key
        if self.choices.chance(2):
            del element[field.merge_key]
        return element

    def scalar(self) -> Any:
        return self.choices.one(_SCALARS)


class Patches(Objects):
    """Makes patches for objects of one kind."""

    def patch_map(self, original: dict[str, Any], type_name: str, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        structures = [name for name, value in original.items() if type(value) in (dict, list)]
        for name in self.choices.some([*structures * 3, *original], 4):
            result[name] = self.patch_value(original[name], type_name, name, depth)
        if self.choices.chance(50):
            result |= self.map(type_name, min(depth, 2))
        if self.choices.chance(4):
            result["extra"] = self.choices.one([{"deep": {"$patch": "delete"}}, [{}], {"n": None}])
        if self.choices.chance(30):
            self.add_directive(result, original, type_name)
        return result

    def patch_value(self, value: Any, type_name: str, name: str, depth: int) -> Any:
        field = self.types.get(type_name, {}).get(name)
        if self.choices.chance(10):
            return None
        if field is None:
            return self.scalar() if self.choices.chance(90) else {}
        if type(value) is dict and not field.is_list:
            return self.patch_map(value, field.type_name, depth - 1)
        if type(value) is list and field.is_list:
            return self.patch_list(value, field, depth - 1)
        return self.field(field, 1)

    def patch_list(self, original: list[Any], field: Field, depth: int) -> list[Any]:
        if not field.merge_key:
            return self.list(field, 1)
        elements = []
        for item in self.choices.some(original, 3):
            element = self.patch_map(item, field.type_name, depth)
            if field.merge_key in item:
                element[field.merge_key] = item[field.merge_key]
            elements.append(self.sharpen(element))
        new = [self.element(field, key, 1) for key in self.choices.some(_KEYS, 2)]
        elements += [self.sharpen(element) for element in new]
        if self.choices.chance(3):
            elements.append(self.choices.one([{"$patch": "replace"}, "x", None, {"z": 1}]))
        return elements

    def sharpen(self, element: dict[str, Any]) -> dict[str, Any]:
        if self.choices.chance(20):
            words = ["delete"] * 12 + ["replace"] * 3 + ["merge", "other", None]
            return element | {"$patch": self.choices.one(words)}
        return element

    def add_directive(
        self, patch: dict[str, Any], original: dict[str, Any], type_name: str
    ) -> None:
        fields = self.types.get(type_name, {})
        lists = [n for n in {**original, **patch} if n in fields and fields[n].is_list]
        what = self.choices.one(
            ["retain", "patch", "odd", *["order", "order", "delete"] * len(lists)]
        )
        if what in ("order", "delete") and lists:
            name = self.choices.one(lists)
            if what == "order":
                patch[f"$setElementOrder/{name}"] = self.order(patch, original, fields[name], name)
            elif not fields[name].merge_key:
                patch.pop(name, None)
                patch[f"$deleteFromPrimitiveList/{name}"] = self.primitives()
        elif what == "retain":
            names = ["apiVersion", "kind", *patch, *self.choices.some(list(original), 6)]
            patch["$retainKeys"] = names if self.choices.chance(90) else names[1:]
        elif what == "patch" and self.choices.chance(60):
            words = ["delete", "replace", "replace", "merge", None]
            patch["$patch"] = self.choices.one(words)
        elif what == "odd" and self.choices.chance(15):
            odd = ["$deleteFromPrimitiveList", "$setElementOrder", "$path", "$setElementOrder/no"]
            patch[self.choices.one(odd)] = self.choices.one([["a"], "x", {"a": "b"}])

    def primitives(self) -> Any:
        if self.choices.chance(8):
            return self.choices.one([None, "x", {}])
        return self.choices.some(("p", "q", "r", "s"), 2)

    def order(
        self, patch: dict[str, Any], original: dict[str, Any], field: Field, name: str
    ) -> Any:
        if self.choices.chance(4):
            return self.choices.one([None, "x", []])
        key = field.merge_key
        mine = _list_in(patch, name)
        theirs = _list_in(original, name)
        if not key:
            if any(type(item) is dict for item in [*mine, *theirs]):
                return []
            return list(dict.fromkeys([*mine, *self.choices.some(theirs, 3)]))
        order = [
            {key: item[key]}
            for item in mine
            if isinstance(item, dict) and key in item and "$patch" not in item
        ]
        for item in self.choices.some(theirs, 3):
            if isinstance(item, dict) and key in item and {key: item[key]} not in order:
                place = self.choices.one(range(len(order) + 1))
                order.insert(place, {key: item[key]})
        return order


def _list_in(values: dict[str, Any], name: str) -> list[Any]:
    found = values.get(name)
    return found if isinstance(found, list) else []


def shrinkable(types: Table, kinds: Kinds) -> st.SearchStrategy[Example]:
    """Make an object of one of *kinds* and a patch; what fails is made as simple as can be."""

    @st.composite
    def example(draw: Callable[[st.SearchStrategy[int]], int]) -> Example:
        return make(Choices(lambda end: draw(st.integers(0, end - 1))), types, kinds)

    return example()


def rich(types: Table, kinds: Kinds) -> st.SearchStrategy[Example]:
    """Make an object of one of *kinds* and a patch from a seed: richer ones, as they come."""
    seeds = st.integers(0, 2**64).map(Random)
    return seeds.map(lambda random: make(Choices(random.randrange), types, kinds))


def make(choices: Choices, types: Table, kinds: Kinds) -> Example:
    """Make an object of one of *kinds* and a patch for it."""
    maker = Patches(choices, types)
    (api_version, kind), type_name = maker.choices.one(list(kinds.items()))
    original = maker.map(type_name, 6)
    original |= {"apiVersion": api_version, "kind": kind, "metadata": _metadata(maker)}
    patch = maker.patch_map(original, type_name, 6)
    for name in ("apiVersion", "kind", "items"):
        patch.pop(name, None)
    if maker.choices.chance(90):
        patch |= {"apiVersion": api_version, "kind": kind}
    return original, patch


def _metadata(maker: Objects) -> dict[str, Any]:
    """Metadata is the one part of an original that kubectl reads as a type."""
    owner = {"apiVersion": "v1", "kind": "Pod", "controller": True}
    uids = maker.choices.some(("a", "b", "c"), 3)
    return {
        "name": "x",
        "labels": dict.fromkeys(maker.choices.some(_FREE_FORM, 2), "v"),
        "finalizers": maker.choices.some(("p", "q", "r", "s"), 3),
        "ownerReferences": [owner | {"name": uid, "uid": uid} for uid in uids],
    }
