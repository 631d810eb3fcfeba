"""Compares objects with Kubernetes' own schemas, which the package kubernetes-validate brings.

Values that have the right type and are wrong (kubernetes_rules.py), and who said a field
(origins.py), do not belong here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from mcks.core.checking.kubernetes import kubernetes_rules
from mcks.core.checking.kubernetes.kubernetes_rules import Rule, Wrong
from mcks.core.objects import Manifest
from mcks.errors import MissingDependency

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

Path = tuple[str | int, ...]
FIELD, TYPE, MISSING, KIND = "MCKS200", "MCKS201", "MCKS202", "MCKS203"
"""The codes of what is found here."""

_KEYWORD = "x-mcks-rule"
"""The keyword that has a rule's place in a schema; JSON Schema ignores what it does not know."""
_KINDS = "x-kubernetes-group-version-kind"
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_SECRETS = ("data", "stringData")
"""Fields of an object whose values are not shown."""
_SHOWN = 40
"""Longest value that is shown, in characters."""


class Mistake(NamedTuple):
    """What is wrong in an object, by its *code*, and where."""

    path: Path
    what: str
    code: str

    @property
    def place(self) -> str:
        """The path as kubectl writes it: ``spec.containers[0].resources``."""
        parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return "".join(parts).removeprefix(".")


def versions() -> list[str]:
    """Return the versions of Kubernetes whose schemas are there, such as ``1.34``, oldest first.

    Raises MissingDependency.
    """
    try:
        folder = resources.files("kubernetes_validate") / "kubernetes-json-schema"
    except ModuleNotFoundError as exc:
        raise MissingDependency(
            "objects are not compared with Kubernetes' schemas: pip install 'mcks[check]'"
        ) from exc
    minors = {entry.name.split(".")[1] for entry in folder.iterdir() if entry.name.startswith("v1")}
    return [f"1.{minor}" for minor in sorted(minors, key=int)]


@lru_cache(maxsize=4)
def schemas(version: str = "") -> Schemas:
    """Return the schemas of *version* (``1.34`` or ``v1.34.2``); the newest not newer than it.

    The newest of all without *version*. Raises MissingDependency.
    """
    known = versions()
    wanted = [v for v in known if not version or _minor(v) <= _minor(version)] or known[:1]
    folder = f"kubernetes-json-schema/v{wanted[-1]}.0-local-strict"
    text = (resources.files("kubernetes_validate") / folder / "_definitions.json").read_text()
    return Schemas(wanted[-1], json.loads(text)["$defs"])


def _minor(version: str) -> int:
    return int(version.removeprefix("v").split(".")[1].rstrip("+"))


class Schemas:
    """The schemas of one version of Kubernetes, with the rules that they leave out."""

    def __init__(self, version: str, definitions: dict[str, Any]) -> None:
        self.version = version
        self._definitions = definitions
        self._kinds = {
            (kind["group"], kind["version"], kind["kind"]): name
            for name, definition in definitions.items()
            for kind in definition.get(_KINDS, ())
        }
        self._validators: dict[str, Validator] = {}
        _add_rules(definitions)

    def mistakes(self, manifest: Manifest) -> list[Mistake]:
        """Return what the API server would refuse or drop in *manifest*, in the order of paths.

        Custom resources are left alone: whose API group is none of Kubernetes' own.
        """
        group, _, version = manifest["apiVersion"].rpartition("/")
        kind = manifest["kind"]
        if (name := self._kinds.get((group, version, kind))) is None:
            return list(self._unknown_kind(group, version, kind))
        found = [*self._validated(name, manifest), *_named(manifest)]
        return sorted(set(found), key=lambda mistake: [str(step) for step in mistake.path])

    def _validated(self, name: str, manifest: Manifest) -> Iterator[Mistake]:
        if name not in self._validators:
            schema = {"$defs": self._definitions, "$ref": f"#/$defs/{name}"}
            self._validators[name] = _validator(schema)
        for error in self._validators[name].iter_errors(manifest):
            yield from _told(error)

    def _unknown_kind(self, group: str, version: str, kind: str) -> Iterator[Mistake]:
        if group not in {known for known, _, _ in self._kinds}:
            return
        elsewhere = [f"{g}/{v}".removeprefix("/") for g, v, k in self._kinds if k == kind]
        said = f"{group}/{version}".removeprefix("/")
        if elsewhere:
            what = f"{said} has no {kind} in Kubernetes {self.version}: write {elsewhere[-1]}"
            yield Mistake(("apiVersion",), what, KIND)
            return
        near = get_close_matches(kind, {k for _, _, k in self._kinds}, n=1)
        hint = f". Did you mean {near[0]!r}?" if near else ""
        what = f"Kubernetes {self.version} has no {kind} in {said}{hint}"
        yield Mistake(("kind",), what, KIND)


def _named(manifest: Manifest) -> Iterator[Mistake]:
    rule = kubernetes_rules.name_of(manifest["kind"])
    for wrong in rule(manifest["metadata"]["name"]):
        yield Mistake(("metadata", "name"), wrong.what, wrong.code)


def _add_rules(definitions: dict[str, Any]) -> None:
    for name, rule in kubernetes_rules.OF_DEFINITIONS.items():
        definitions[name][_KEYWORD] = rule
    for name, fields in kubernetes_rules.OF_FIELDS.items():
        for field, rule in fields.items():
            of_field = definitions[name]["properties"][field]
            (of_field.get("items") or of_field)[_KEYWORD] = rule


def _validator(schema: dict[str, Any]) -> Validator:
    from jsonschema import (  # noqa: PLC0415 - part of what the extra brings
        Draft202012Validator,
        ValidationError,
        validators,
    )

    def follow(_: Any, rule: Rule, value: Any, schema: Mapping[str, Any]) -> Iterable[Any]:
        if value is None or not _fits(value, schema):
            return
        for wrong in rule(value):
            yield ValidationError(wrong.what, path=wrong.path, validator_value=wrong)

    cls = validators.extend(Draft202012Validator, {_KEYWORD: follow})
    return cls(schema)


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether *value* has the type of *schema*: another keyword tells if it has not."""
    if "oneOf" in schema:
        return isinstance(value, str | int | float) and not isinstance(value, bool)
    wanted = schema.get("type", "object")
    named = {wanted} if isinstance(wanted, str) else set(wanted)
    return _type(value) in named


def _type(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}
    return "object" if isinstance(value, Mapping) else names.get(type(value), "null")


def _told(error: Any) -> Iterator[Mistake]:
    """Say an error of jsonschema in the words of this project."""
    path = tuple(error.absolute_path)
    match error.validator:
        case "additionalProperties":
            known = error.schema.get("properties", {})
            for name in error.instance.keys() - known.keys():
                yield Mistake((*path, name), _unknown_field(name, known), FIELD)
        case "required":
            for name in error.validator_value:
                if name not in error.instance:
                    yield Mistake(path, f"{name} is missing", MISSING)
        case "type":
            yield _wrong_type(path, error.instance, _wanted(error.schema))
        case "oneOf":
            wanted = " or ".join(_wanted(one) for one in error.validator_value)
            yield _wrong_type(path, error.instance, wanted)
        case _:
            wrong: Wrong = error.validator_value
            yield Mistake(path, wrong.what, wrong.code)


def _unknown_field(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "Kubernetes would drop it"
    return f"there is no field {name!r}: {hint}"


def _wrong_type(path: Path, value: Any, wanted: str) -> Mistake:
    secret = path[0] in _SECRETS
    return Mistake(path, f"is {_shown(value, secret=secret)}, not {wanted}", TYPE)


def _wanted(schema: Mapping[str, Any]) -> str:
    wanted = schema.get("type", "object")
    name = wanted if isinstance(wanted, str) else next(t for t in wanted if t != "null")
    return _TYPES[name]


def _shown(value: Any, *, secret: bool) -> str:
    told = _TYPES[_type(value)]
    if secret or isinstance(value, list | Mapping | None):
        return told
    return f"{told} {json.dumps(value)}" if len(str(value)) <= _SHOWN else told
