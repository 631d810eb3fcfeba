"""``mcks check``: tell the mistakes of a configuration, then ask the clusters themselves."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from traitlets.config import Config

from mcks.core.commands import check_report, cluster_check, config_check, layout
from mcks.core.commands.configuration import load
from mcks.core.commands.subjects import subjects
from mcks.errors import ConfigError, UnknownCluster


def run(arguments: argparse.Namespace) -> int:
    """List the mistakes; ask the clusters unless ``--offline``; 1 if anything is wrong."""
    config = load(arguments)
    findings = config_check.check(config, arguments.group)
    found = findings.problems
    if not arguments.json:
        arguments.answer.writelines(f"note: {note}\n" for note in findings.notes)
        arguments.answer.writelines(f"- {problem}\n" for problem in found)
        arguments.answer.write(f"{layout.counted(len(found), 'problem')} found\n")
    reports: list[check_report.Report] = []
    if not arguments.offline:
        reports = _ask(config, found, arguments)
    if arguments.json:
        arguments.answer.write(check_report.as_json(found, reports, findings.notes))
    elif not arguments.offline:
        arguments.answer.write("\n" + check_report.table(reports))
    return 0 if not found and all(report.ok for report in reports) else 1


def _ask(
    config: Config, found: Sequence[str], arguments: argparse.Namespace
) -> list[check_report.Report]:
    try:
        chosen = subjects(config, arguments.clusters, arguments.group)
    except UnknownCluster:
        raise
    except ConfigError:
        if found:
            return []  # it is one of the problems
        raise
    return asyncio.run(cluster_check.check(chosen, deadline=arguments.timeout))
