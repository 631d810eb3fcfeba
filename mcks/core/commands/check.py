"""``mcks check``: tell the mistakes of a configuration, then ask the clusters themselves."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from traitlets.config import Config

from mcks.core.checking import config_check, config_file
from mcks.core.checking.finding import Finding
from mcks.core.checking.places import with_lines
from mcks.core.commands import drain
from mcks.core.commands.check_formats import github, output, terminal
from mcks.core.commands.configuration import with_clusters
from mcks.core.commands.progress import Progress, progress
from mcks.core.trying import cluster_check, trial
from mcks.core.trying.report import Report, Step
from mcks.core.trying.subjects import Subject, subjects
from mcks.errors import BrokenFile, ConfigError, MCKSError, UnknownCluster

FORMATS = ("text", "json", "github")


def run(arguments: argparse.Namespace) -> int:
    """List the mistakes; ask the clusters unless ``--offline``; 1 if anything is wrong."""
    path = Path(arguments.config)
    config: Config | None = None
    with progress(sys.stderr) as line, _without_warnings_of("traitlets"):
        try:
            config = config_file.read(path, refuse_mistakes=False)
            config, failed = _asked_for_clusters(config, offline=arguments.offline)
            found = [*failed, *config_check.check(config, arguments.group, line.say).found]
        except BrokenFile as exc:
            found = [_broken(exc)]
        found = with_lines(found, str(path), path.read_text(errors="replace"))
    drained = _drained(config) if config is not None else []
    if arguments.format == "text":
        arguments.answer.write(_text(found, arguments) + drain.lines(drained))
        arguments.answer.flush()  # clusters may take a while
    reports: list[Report] = []
    if config is not None and not arguments.offline:
        with progress(sys.stderr) as line, _without_warnings_of("traitlets"):
            reports = _ask(config, found, arguments, line)
    arguments.answer.write(_rest(found, reports, drained, arguments))
    counts = {"error", "warning"} if arguments.strict else {"error"}
    wrong = any(finding.severity in counts for finding in found)
    doubtful = arguments.strict and any(report.has_warnings for report in reports)
    return 0 if not (wrong or doubtful) and all(report.ok for report in reports) else 1


def _asked_for_clusters(config: Config, *, offline: bool) -> tuple[Config, list[Finding]]:
    """Return *config* with the clusters that its function names, and why that fails."""
    if offline:
        return config, []
    try:
        return with_clusters(config), []
    except Exception as exc:  # its own words may be those of any library
        return config, [Finding("MCKS306", str(exc), "c.MultiClusterKubeSpawner.clusters")]


@contextmanager
def _without_warnings_of(name: str) -> Iterator[None]:
    """Let a logger be silent about what is told here in better words."""
    log = logging.getLogger(name)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _text(found: Sequence[Finding], arguments: argparse.Namespace) -> str:
    answer: TextIO = arguments.answer
    if not answer.isatty():
        return output.lines(found)
    width = shutil.get_terminal_size().columns
    colours = terminal.shows_colours(os.environ)
    return terminal.table(found, width=width, colours=colours)


def _drained(config: Config) -> list[drain.Drained]:
    """Which clusters take no new servers, as far as that can be known: it is no mistake."""
    try:
        hub = drain.Hub(config)
    except ConfigError:
        return []  # it is one of the problems
    try:
        return hub.drained()
    except ConfigError as exc:
        sys.stderr.write(f"mcks: {exc}\n")
        return []


def _rest(
    found: Sequence[Finding],
    reports: Sequence[Report],
    drained: Sequence[drain.Drained],
    arguments: argparse.Namespace,
) -> str:
    """Write what the format says after the clusters were asked."""
    if arguments.format == "json":
        return output.as_json(found, reports, drain.plain(drained))
    if arguments.format == "github":
        return github.workflow_commands(found, reports)
    return "" if arguments.offline else "\n" + output.table(reports)


def _broken(exc: BrokenFile) -> Finding:
    what = f"{exc.what}\n    {exc.source}" if exc.source else exc.what
    where = f"{exc.file}, line {exc.line}" if exc.line else exc.file
    return Finding(exc.code, what, where, file=exc.file, line=exc.line)


def _ask(
    config: Config, found: Sequence[Finding], arguments: argparse.Namespace, line: Progress
) -> list[Report]:
    try:
        chosen = subjects(config, arguments.clusters, arguments.group)
    except UnknownCluster:
        raise
    except ConfigError:
        if found:
            return []  # it is one of the problems
        raise
    return asyncio.run(_tried(config, chosen, arguments, line))


async def _tried(
    config: Config, chosen: Sequence[Subject], arguments: argparse.Namespace, line: Progress
) -> list[Report]:
    """Try each cluster; with ``--start`` also a server in those that can be used."""
    reports = await cluster_check.check(chosen, deadline=arguments.timeout, told=line.say)
    if not arguments.start:
        return reports
    line.end()
    _end_in_order()
    return [
        replace(report, steps=(*report.steps, *await _started(config, subject.name, arguments)))
        if report.ok
        else report
        for subject, report in zip(chosen, reports, strict=True)
    ]


async def _started(config: Config, cluster: str, arguments: argparse.Namespace) -> list[Step]:
    try:
        return await trial.tried(
            config, cluster, groups=arguments.group, image=arguments.image, say=_say
        )
    except MCKSError as exc:
        return [Step("start", "failed", str(exc), "correct what keeps it from being tried")]


def _end_in_order() -> None:
    """Let SIGTERM cancel what runs, as ^C does: a server that was started is taken out again."""
    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _say(words: str) -> None:
    sys.stderr.write(f"{words} ...\n")
