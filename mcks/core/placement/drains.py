"""Which clusters take no new servers at present, by whose word, and how users are told. Pure.

The file that ``mcks drain`` writes does not belong here (drain_file.py).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mcks.core.administrator.functions import ask_now, failure
from mcks.errors import ConfigError, FunctionFailed, MCKSError

LONGEST = 300
"""Characters of a reason: it stands in a form."""
PAUSE = 1.0
"""Seconds between two looks at what may change at any time."""

Setting = bool | str | Callable[[str], Any]
"""``Cluster.drain``: whether, or why, or a function of the cluster's name that says either."""


class Drain(NamedTuple):
    """That a cluster takes no new servers, why in an administrator's words, and since when."""

    reason: str = ""
    since: str = ""


def sentence(drain: Drain) -> str:
    """Say it to users, as the end of a sentence about what they might choose.

    >>> sentence(Drain("An upgrade until noon"))
    'its cluster takes no new servers. An upgrade until noon.'
    """
    return with_reason("its cluster takes no new servers.", drain.reason)


def with_reason(said: str, reason: str) -> str:
    """Return the sentence *said*, and behind it *reason*, if there is one."""
    return f"{said} {closed(reason)}".rstrip()


def closed(reason: str) -> str:
    """Return *reason* as a sentence of one line, "" if there is none; cut if it is too long."""
    said = "".join(c for c in " ".join(reason[: LONGEST + 1].split()) if c.isprintable())
    said = said if len(said) <= LONGEST else f"{said[:LONGEST]}…"
    return said if not said or said[-1] in ".!?" else f"{said}."


def begun(reason: str, now: datetime | None = None) -> Drain:
    """Return a drain that begins now. Raises ConfigError for a reason that is too long."""
    if len(reason) > LONGEST:
        raise ConfigError(f"a reason has at most {LONGEST} characters, and this one {len(reason)}")
    return Drain(reason, (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"))


def as_text(drained: Mapping[str, Drain]) -> str:
    """Write *drained*, by cluster, as ``parse`` reads it."""
    entries = {name: _entry(drain) for name, drain in sorted(drained.items())}
    return json.dumps({"drained": entries}, indent=2) + "\n"


def _entry(drain: Drain) -> dict[str, str]:
    return {key: value for key, value in drain._asdict().items() if value}


def parse(text: str) -> dict[str, Drain]:
    """Read which clusters are drained; what is not known is left for who knows it.

    Raises ConfigError that says what is wrong.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"it is not JSON: {exc}") from None
    entries = said.get("drained") if isinstance(said, dict) else None
    if not isinstance(entries, dict):
        raise ConfigError('it must be {"drained": {CLUSTER: {"reason": TEXT}}}')
    return {name: _drain(name, entry) for name, entry in entries.items()}


def _drain(name: str, entry: Any) -> Drain:
    if not isinstance(entry, dict):
        raise ConfigError(
            f'drained[{name!r}] must be an object, such as {{"reason": "an upgrade"}}'
        )
    values = {key: entry.get(key, "") for key in Drain._fields}
    for key, value in values.items():
        if not isinstance(value, str):
            raise ConfigError(f"drained[{name!r}].{key} must be a text")
    return Drain(**values)


def said_by(cluster: str, setting: Setting) -> Drain | None:
    """Return what ``Cluster.drain`` says of *cluster* at the moment; a function is asked.

    Raises FunctionFailed, and ConfigError for an answer that is none.
    """
    where = f"clusters[{cluster!r}].drain"
    answer = _answer(setting, cluster, where) if callable(setting) else setting
    if answer is None or isinstance(answer, bool | str):
        return Drain(answer if isinstance(answer, str) else "") if answer else None
    raise ConfigError(
        f"{where} must say True, False, or why as a text, not {type(answer).__name__}"
    )


def _answer(function: Callable[[str], Any], cluster: str, where: str) -> Any:
    try:
        return ask_now(function, cluster, where)
    except MCKSError:
        raise
    except Exception as exc:  # a refusal of a start, and none was asked for
        raise FunctionFailed(f"{where}: {failure(function, exc)}") from exc


class Drains:
    """What holds for one hub: what *commanded* tells, which it may ask again and again, and what
    clusters' settings say. A function that fails has said what it said the last time."""

    def __init__(
        self,
        commanded: Callable[[], Mapping[str, Drain]],
        log: logging.Logger,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._commanded, self._log, self._now = commanded, log, now
        self._answers: dict[str, tuple[float, Drain | None]] = {}
        self._told: dict[str, str] = {}

    def of(self, cluster: str, setting: Setting) -> Drain | None:
        """Return why *cluster* takes no new servers, None if it does."""
        by_setting = self._asked(cluster, setting) if setting else None
        return self._commanded().get(cluster) or by_setting

    def _asked(self, cluster: str, setting: Setting) -> Drain | None:
        """A form asks for each of its choices: so a function is asked once a second."""
        next_time, answer = self._answers.get(cluster, (0.0, None))
        if not callable(setting):
            return said_by(cluster, setting)
        if self._now() >= next_time:
            try:
                answer = said_by(cluster, setting)
                self._told.pop(cluster, None)
            except MCKSError as exc:
                self._tell(cluster, str(exc))
            self._answers[cluster] = self._now() + PAUSE, answer
        return answer

    def _tell(self, cluster: str, told: str) -> None:
        """Write into the log what keeps a function from its answer, each thing once."""
        if self._told.get(cluster) != told:
            self._told[cluster] = told
            self._log.error("%s: what it said before holds", told)
