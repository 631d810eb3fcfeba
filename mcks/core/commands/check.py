"""``mcks check``: tell the mistakes of a configuration, then ask the clusters themselves."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from traitlets.config import Config

from mcks.core.commands import check_report, cluster_check, layout
from mcks.core.commands.config_check import problems
from mcks.core.commands.configuration import load
from mcks.core.commands.subjects import subjects
from mcks.errors import ConfigError, UnknownCluster


def run(arguments: argparse.Namespace) -> int:
    """List the mistakes; ask the clusters unless ``--offline``; 1 if anything is wrong."""
    config = load(arguments)
    found = problems(config)
    if not arguments.json:
        sys.stdout.writelines(f"- {problem}\n" for problem in found)
        sys.stdout.write(f"{layout.counted(len(found), 'problem')} found\n")
    reports: list[check_report.Report] = []
    if not arguments.offline:
        reports = _ask(config, found, arguments)
    if arguments.json:
        sys.stdout.write(check_report.as_json(found, reports))
    elif not arguments.offline:
        sys.stdout.write("\n" + check_report.table(reports))
    return 0 if not found and all(report.ok for report in reports) else 1


def _ask(
    config: Config, found: Sequence[str], arguments: argparse.Namespace
) -> list[check_report.Report]:
    try:
        chosen = subjects(config, arguments.clusters)
    except UnknownCluster:
        raise
    except ConfigError:
        if found:
            return []  # it is one of the problems
        raise
    return asyncio.run(cluster_check.check(chosen, deadline=arguments.timeout))
