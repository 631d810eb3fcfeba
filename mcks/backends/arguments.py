"""Command line arguments of other programs, in any order: what a kubeconfig's exec stanza says.

What the options mean does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mcks.errors import ConfigError


@dataclass(frozen=True)
class Arguments:
    """*words* are what is no option; *options* go by their long names; *flags* have no value."""

    words: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    flags: frozenset[str] = frozenset()

    def get(self, name: str) -> str:
        """Give the value of the option *name*, or ``""``."""
        return self.options.get(name, "")


def parse(
    arguments: Sequence[str], *, values: Mapping[str, str], flags: Mapping[str, str]
) -> Arguments:
    """Sort *arguments* out. *values* and *flags* map every spelling to the name it gets here.

    Raises `ConfigError`, which names it, for an option that is in neither.
    """
    words: list[str] = []
    options: dict[str, str] = {}
    found: set[str] = set()
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-") or argument == "-":
            words.append(argument)
            continue
        name, equals, value = argument.partition("=")
        if name in flags:
            if not equals or value.lower() in ("true", "1", "t"):
                found.add(flags[name])
        elif name in values:
            if not equals and not rest:
                raise ConfigError(f"the option {name} has no value")
            options[values[name]] = value if equals else rest.pop(0)
        else:
            raise ConfigError(f"the option {name} is not understood")
    return Arguments(tuple(words), options, frozenset(found))
