"""Inventory: the clusters as a function of the administrator names them, read again and again.

What a cluster's settings mean, and connections, do not belong here.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from traitlets import Callable as CallableTrait

from mcks.core.administrator.functions import describe, naming
from mcks.errors import ConfigError, MCKSError, StartFailed

DEADLINE = 30.0
"""Seconds that the function may take."""
_UNKNOWN = "The hub does not know its clusters at the moment. Try again in some minutes."
_REMEMBERED = 100
"""Mistakes that are not told a second time."""

Settings = Mapping[str, Any]
Check = Callable[[str, Settings], object]
"""Looks at the entry of a cluster. Raises ConfigError."""

Replaced = Callable[[str, Settings | None], object]
"""Hears of a cluster that is named anew, with its settings of before, if there are any."""


def _nothing(_name: str, _settings: Settings | None) -> None:
    """Do nothing: nobody checks, nobody hears."""


class Inventory(Mapping[str, Any]):
    """The clusters that *function* named last: a live view, in which clusters come and go.

    An answer with a mistake changes nothing, an entry with a mistake leaves that cluster as it was.
    """

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.deadline = DEADLINE
        self._log = logging.getLogger("mcks")
        self._named: dict[str, Settings] | None = None
        self._ever: dict[str, Settings] = {}
        self._reading: asyncio.Task[None] | None = None
        self._failure: MCKSError | None = None
        self._told: dict[str, None] = {}
        self._check: Check = _nothing
        self._replaced: Replaced = _nothing

    # -- what is known --------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Any:
        return (self._named or {})[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named or {})

    def __len__(self) -> int:
        return len(self._named or {})

    def __repr__(self) -> str:
        return f"Inventory({', '.join(map(repr, self)) or 'no clusters'})"

    def __deepcopy__(self, _: object) -> Inventory:
        return self

    @property
    def ever(self) -> Ever:
        """Those too that are not named any more, for the servers that still run there."""
        return Ever(self)

    async def ready(self) -> None:
        """Wait for the first good answer. Raises StartFailed if it does not come."""
        if self._named is None:
            await self.read()
        if self._named is None:
            raise StartFailed(_UNKNOWN, details=str(self._failure), reason="no-inventory")

    # -- reading --------------------------------------------------------------------------------

    def follow(self, log: logging.Logger, check: Check, replaced: Replaced) -> None:
        """Tell mistakes to *log*, take only entries that pass *check*, and tell *replaced* of each
        cluster whose settings are others now."""
        self._log, self._check, self._replaced = log, check, replaced

    async def keep(self, interval: float) -> None:
        """Read again every *interval* seconds, until cancelled."""
        try:
            while True:
                try:
                    await self.read()
                except Exception:  # it must not end before the hub
                    self._log.exception("The clusters could not be read; they stay what they were")
                await asyncio.sleep(interval)
        finally:
            if self._reading is not None:
                self._reading.cancel()

    async def read(self) -> None:
        """Read now; whoever wants it at the same time shares one call. Mistakes are told."""
        loop = asyncio.get_running_loop()
        reading = self._reading
        if reading is None or reading.done() or reading.get_loop() is not loop:
            reading = self._reading = loop.create_task(self._read())
        await asyncio.shield(reading)

    async def answer(self) -> dict[str, Settings]:
        """Ask the function once. Raises FunctionFailed, ConfigError, and what it says itself."""
        where, what = "clusters", describe(self.function)
        try:
            async with asyncio.timeout(self.deadline) as limit:
                with naming(where, self.function):
                    said = self.function()
                    said = await said if inspect.isawaitable(said) else said
        except TimeoutError:
            if not limit.expired():
                raise
            late = f"{where}: {what} has not answered within {self.deadline:g} seconds"
            raise ConfigError(late) from None
        if not isinstance(said, Mapping):
            kind = type(said).__name__
            raise ConfigError(f"{where}: {what} gives {kind}: it must give a dict of clusters")
        return dict(said)

    async def _read(self) -> None:
        try:
            said = await self.answer()
        except Exception as exc:  # its own words, or those of an HTTP status: all are mistakes here
            self._failure = exc if isinstance(exc, MCKSError) else MCKSError(str(exc))
            self._tell(f"{self._failure}; the clusters stay what they were")
            return
        taken = {name: good for name in said if (good := self._taken(name, said[name])) is not None}
        self._say_what_is_new(taken)
        before, self._named = self._ever, taken
        self._ever = before | taken
        for name, settings in taken.items():
            if before.get(name) != settings:
                self._replaced(name, before.get(name))

    def _taken(self, name: Any, settings: Any) -> Settings | None:
        """Return the settings of the cluster *name* that count now, None if there are none."""
        last = (self._named or {}).get(name) if isinstance(name, str) else None
        if last is not None and last == settings:
            return last
        try:
            _expect_entry(name, settings)
            self._check(name, settings)
        except Exception as exc:  # a value of any kind must not be the end of reading
            if not isinstance(exc, MCKSError):
                exc = ConfigError(f"clusters[{name!r}]: {type(exc).__name__}: {exc}")
            stays = "it is left out" if last is None else "it stays what it was"
            self._tell(f"{exc}; {stays}")
            return last
        return dict(settings)

    def _say_what_is_new(self, taken: Mapping[str, Settings]) -> None:
        before = set(self._named or {})
        if self._named is None or before != taken.keys():
            named = ", ".join(sorted(taken)) or "(none)"
            self._log.info("The clusters are now: %s", named)
        if gone := sorted(before - taken.keys()):
            text = "Clusters that are named no more take no new servers: %s"
            self._log.warning(text, ", ".join(gone))

    def _tell(self, mistake: str) -> None:
        """Tell each mistake once."""
        if mistake not in self._told:
            self._log.error("%s", mistake)
        self._told[mistake] = None
        while len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]


def _expect_entry(name: Any, settings: Any) -> None:
    if not isinstance(name, str):
        raise ConfigError(f"clusters: the name {name!r} is not a string")
    if not isinstance(settings, Mapping):
        kind = type(settings).__name__
        raise ConfigError(f"clusters[{name!r}] must be a dict, not {kind}")


class Ever(Mapping[str, Any]):
    """All clusters that an inventory has ever named, with their last settings: a live view."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    def __getitem__(self, name: str) -> Any:
        return self.inventory._ever[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.inventory._ever)

    def __len__(self) -> int:
        return len(self.inventory._ever)


class InventoryFunction(CallableTrait):
    """A trait's function that names clusters; its value is an Inventory."""

    info_text = "a function that returns such a dict"

    def validate(self, obj: Any, value: Any) -> Inventory:
        """Make an Inventory of a function."""
        return value if isinstance(value, Inventory) else Inventory(super().validate(obj, value))


def ever(clusters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *clusters* with those that a function named once, for the servers there."""
    return clusters.ever if isinstance(clusters, Inventory) else clusters


async def ready(clusters: Mapping[str, Any]) -> None:
    """Wait until it is known which *clusters* there are. Raises StartFailed."""
    if isinstance(clusters, Ever):
        clusters = clusters.inventory
    if isinstance(clusters, Inventory):
        await clusters.ready()
