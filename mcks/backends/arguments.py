"""Command line arguments of other programs, in any order: what a kubeconfig's exec stanza says.

What the options mean does not belong here. No error shows a value: it may be a secret.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mcks.errors import ConfigError

_OPTION = re.compile(r"--?[A-Za-z0-9][\w.-]*")
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")


@dataclass(frozen=True)
class Arguments:
    """*words* are what is no option; *options* go by their long names; *flags* have no value."""

    words: tuple[str, ...] = field(default=(), repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    flags: frozenset[str] = frozenset()

    def get(self, name: str) -> str:
        """Give the value of the option *name*, or ``""``."""
        return self.options.get(name, "")


def spelled(names: Mapping[str, str]) -> dict[str, str]:
    """Give spelling -> name, for *names* with their spellings, which spaces part."""
    return {spelling: name for name, text in names.items() for spelling in text.split()}


def harmless(spellings: str) -> dict[str, str]:
    """Give spelling -> name of options that a program takes and that change no log-in."""
    return dict.fromkeys(spellings.split(), "")


def parse(
    arguments: Sequence[str], *, values: Mapping[str, str], flags: Mapping[str, str]
) -> Arguments:
    """Sort *arguments* out. *values* and *flags* map every spelling to the name it gets here.

    Short options may be glued to their values and to each other, as Go's programs take them.
    Raises `ConfigError`, which names it, for an option that is in neither.
    """
    reader = _Reader(values, flags, deque(arguments))
    while reader.rest:
        argument = reader.rest.popleft()
        if argument == "--":
            reader.words += reader.rest
            break
        if argument.startswith("--"):
            reader.take_long(argument)
        elif argument.startswith("-") and argument != "-":
            reader.take_short(argument[1:])
        else:
            reader.words.append(argument)
    return Arguments(tuple(reader.words), reader.options, frozenset(reader.found))


class _Reader:
    """What was read so far, and what is left."""

    def __init__(
        self, values: Mapping[str, str], flags: Mapping[str, str], rest: deque[str]
    ) -> None:
        self._values, self._flags, self.rest = values, flags, rest
        self.words: list[str] = []
        self.options: dict[str, str] = {}
        self.found: set[str] = set()

    def take_long(self, argument: str) -> None:
        name, equals, value = argument.partition("=")
        if name in self._flags:
            self._switch(name, value if equals else "true")
        elif name in self._values:
            self._set(name, value if equals else None)
        else:
            raise _not_understood(argument, {*self._values, *self._flags})

    def take_short(self, letters: str) -> None:
        while letters:
            name, letters = f"-{letters[0]}", letters[1:]
            value = letters.removeprefix("=")
            if name in self._values:
                self._set(name, value if letters else None)
                return
            if name not in self._flags:
                raise _not_understood(name, ())
            if value != letters:
                self._switch(name, value)
                return
            self._switch(name, "true")

    def _set(self, name: str, value: str | None) -> None:
        if value is None:
            if not self.rest:
                raise ConfigError(f"the option {name} has no value")
            value = self.rest.popleft()
        self.options[self._values[name]] = value

    def _switch(self, name: str, value: str) -> None:
        if value not in _TRUE + _FALSE:
            raise ConfigError(f"the option {name} is neither true nor false")
        if value in _TRUE:
            self.found.add(self._flags[name])
        else:
            self.found.discard(self._flags[name])


def _not_understood(argument: str, known: Sequence[str] | set[str]) -> ConfigError:
    found = _OPTION.match(argument)
    name = found[0] if found else "without a name"
    if name in known:
        return ConfigError(f"the option {name} and its value are one argument: make two of them")
    return ConfigError(f"the option {name} is not understood")
