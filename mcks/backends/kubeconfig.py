"""Kubeconfig files, read and merged as kubectl does: plain values in, one chosen context out.

How the chosen user logs in does not belong here, nor which cloud is behind it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from mcks.backends.pem import decoded
from mcks.errors import ConfigError, unknown

_T = TypeVar("_T")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SECTIONS = {"clusters": "cluster", "contexts": "context", "users": "user"}


@dataclass(frozen=True)
class Entry:
    """One named cluster, context or user, and the file it is from."""

    name: str
    section: str
    file: Path
    fields: Mapping[str, Any] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.file}: {self.section}[{self.name}]"

    def text(self, key: str) -> str | None:
        """Give the string *key*; None if absent or empty. Raises `ConfigError` for others."""
        return self._typed(key, str, "a string (quote it)") or None

    def flag(self, key: str) -> bool:
        """Give the boolean *key*; False if absent."""
        return bool(self._typed(key, bool, "true or false"))

    def texts(self, key: str) -> list[str]:
        """Give the list of strings *key*; empty if absent."""
        values = self._typed(key, list, "a list of strings") or []
        if not all(isinstance(value, str) for value in values):
            raise ConfigError(f"{self}.{key} must be a list of strings")
        return values

    def mapping(self, key: str) -> dict[str, Any]:
        """Give the mapping *key*; empty if absent."""
        return self._typed(key, dict, "a mapping") or {}

    def path(self, key: str) -> Path | None:
        """Give the file that *key* names; a relative one is relative to the kubeconfig's folder."""
        value = self.text(key)
        return None if value is None else self.file.parent / value

    def data(self, key: str) -> bytes | None:
        """Give the content of ``<key>-data`` (base64), or of the file that *key* names.

        Raises `ConfigError` for bad base64 or an unreadable file.
        """
        encoded = self.text(f"{key}-data")
        if encoded is not None:
            return decoded(encoded, f"{self}.{key}-data")
        path = self.path(key)
        if path is None:
            return None
        try:
            return path.read_bytes()
        except OSError as exc:
            raise ConfigError(f"{self}.{key}: {path} cannot be read: {exc.strerror}") from exc

    def _typed(self, key: str, kind: type[_T], expected: str) -> _T | None:
        value = self.fields.get(key)
        if value is not None and not isinstance(value, kind):
            raise ConfigError(f"{self}.{key} must be {expected}")
        return value


@dataclass(frozen=True)
class Context:
    """One context with its cluster and its user. *user* is None for anonymous access."""

    name: str
    cluster: Entry
    user: Entry | None
    namespace: str | None


@dataclass(frozen=True)
class Kubeconfig:
    """The union of some files: what stands first in them wins, name by name."""

    files: tuple[Path, ...]
    current_context: str | None
    entries: Mapping[tuple[str, str], Entry] = field(repr=False)

    def contexts(self) -> list[str]:
        """Give the names of all contexts, sorted."""
        return sorted(name for section, name in self.entries if section == "contexts")

    def context(self, name: str = "") -> Context:
        """Choose the context *name*, or the current one if it is empty.

        Raises `ConfigError`, which names the files and the contexts there are.
        """
        where = ", ".join(str(file) for file in self.files)
        name = name or self.current_context or ""
        if not name:
            raise ConfigError(
                f"{where}: there is no current-context; set context to one of: "
                + (", ".join(self.contexts()) or "(none)")
            )
        entry = self.entries.get(("contexts", name))
        if entry is None:
            raise ConfigError(f"{where}: {unknown('context', name, self.contexts())}")
        cluster = self._referred(entry, "cluster")
        if cluster is None:
            raise ConfigError(f"{entry} names no cluster")
        if not cluster.text("server"):
            raise ConfigError(f"{cluster} has no server")
        return Context(name, cluster, self._referred(entry, "user"), entry.text("namespace"))

    def _referred(self, context: Entry, key: str) -> Entry | None:
        name = context.text(key)
        if name is None:
            return None
        section = f"{key}s"
        entry = self.entries.get((section, name))
        if entry is None:
            known = [n for s, n in self.entries if s == section]
            raise ConfigError(f"{context}.{key}: {unknown(key, name, known)}")
        return entry


def paths(given: str | Sequence[str]) -> list[Path]:
    """Give the files that are *given* one by one, or as ``$KUBECONFIG`` lists them."""
    listed = given.split(os.pathsep) if isinstance(given, str) else given
    return [Path(path).expanduser() for path in listed if path]


def load(files: Sequence[Path], *, skip_missing: bool = False) -> Kubeconfig:
    """Read and merge *files*. With *skip_missing* (a list in $KUBECONFIG) absent ones are left out.

    Raises `ConfigError`, which names the file and the line.
    """
    entries: dict[tuple[str, str], Entry] = {}
    current: str | None = None
    read: list[Path] = []
    for file in files:
        if skip_missing and not file.exists():
            continue
        one = _of_text(_text(file), file)
        read.append(file)
        current = current or one.current_context
        entries |= {where: e for where, e in one.entries.items() if where not in entries}
    return Kubeconfig(tuple(read), current, entries)


def loads(text: str, origin: str) -> Kubeconfig:
    """Read one kubeconfig that is no file; *origin* says in messages where it is from."""
    return _of_text(text, Path(origin))


def of_document(document: Mapping[str, Any], origin: str) -> Kubeconfig:
    """Do the same with what was parsed already. Raises `ConfigError`."""
    return _of_document(document, Path(origin))


@functools.lru_cache(maxsize=128)
def _of_text(text: str, file: Path) -> Kubeconfig:
    """Do the same with a *text* that is from *file*; nobody changes the result.

    Files are read again every minute for each of their contexts, and at starts; a large one takes
    a tenth of a second to parse.
    """
    return _of_document(_parsed(text, file), file)


def _of_document(document: Mapping[str, Any], file: Path) -> Kubeconfig:
    entries = {
        (section, entry.name): entry
        for section in _SECTIONS
        for entry in _entries(document, section, file)
    }
    chosen = document.get("current-context")
    return Kubeconfig((file,), chosen if isinstance(chosen, str) else None, entries)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as exc:
        raise ConfigError(f"kubeconfig {file} cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"kubeconfig {file} is not UTF-8 text") from exc


def _parsed(text: str, file: Path) -> dict[str, Any]:
    try:
        document = yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders
    except yaml.MarkedYAMLError as exc:
        # Not str(exc): it quotes the text around the fault, and that may be a token.
        line = exc.problem_mark.line + 1 if exc.problem_mark else "?"
        raise ConfigError(f"kubeconfig {file}, line {line}: {exc.problem}") from None
    except yaml.YAMLError:
        raise ConfigError(f"kubeconfig {file} is not valid YAML") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"kubeconfig {file} must be a mapping with clusters, contexts and users")
    return document


def _entries(document: Mapping[str, Any], section: str, file: Path) -> list[Entry]:
    items = document.get(section) or []
    if not isinstance(items, list):
        raise ConfigError(f"kubeconfig {file}: {section} must be a list")
    found: dict[str, Entry] = {}
    for position, item in enumerate(items):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            raise ConfigError(
                f"kubeconfig {file}: {section}[{position}] has no name, or one that is no string"
            )
        fields = item.get(_SECTIONS[section]) or {}
        if not isinstance(fields, dict):
            raise ConfigError(f"kubeconfig {file}: {section}[{name}] must be a mapping")
        if name in found:
            raise ConfigError(f"kubeconfig {file}: {section}[{name}] is there twice")
        found[name] = Entry(name, section, file, fields)
    return list(found.values())
