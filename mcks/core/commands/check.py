"""``mcks check``: tell the mistakes of a configuration, then ask the clusters themselves."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace

from traitlets.config import Config

from mcks.core.checking import config_check
from mcks.core.checking.finding import Finding
from mcks.core.commands import check_output
from mcks.core.commands.configuration import load
from mcks.core.trying import cluster_check, trial
from mcks.core.trying.report import Report, Step
from mcks.core.trying.subjects import Subject, subjects
from mcks.errors import ConfigError, MCKSError, UnknownCluster


def run(arguments: argparse.Namespace) -> int:
    """List the mistakes; ask the clusters unless ``--offline``; 1 if anything is wrong."""
    config = load(arguments)
    found = config_check.check(config, arguments.group).found
    if not arguments.json:
        arguments.answer.write(check_output.lines(found))
    reports: list[Report] = []
    if not arguments.offline:
        reports = _ask(config, found, arguments)
    if arguments.json:
        arguments.answer.write(check_output.as_json(found, reports))
    elif not arguments.offline:
        arguments.answer.write("\n" + check_output.table(reports))
    counts = {"error", "warning"} if arguments.strict else {"error"}
    wrong = any(finding.severity in counts for finding in found)
    return 0 if not wrong and all(report.ok for report in reports) else 1


def _ask(config: Config, found: Sequence[Finding], arguments: argparse.Namespace) -> list[Report]:
    try:
        chosen = subjects(config, arguments.clusters, arguments.group)
    except UnknownCluster:
        raise
    except ConfigError:
        if found:
            return []  # it is one of the problems
        raise
    return asyncio.run(_tried(config, chosen, arguments))


async def _tried(
    config: Config, chosen: Sequence[Subject], arguments: argparse.Namespace
) -> list[Report]:
    """Try each cluster; with ``--start`` also a server in those that can be used."""
    reports = await cluster_check.check(chosen, deadline=arguments.timeout)
    if not arguments.start:
        return reports
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
