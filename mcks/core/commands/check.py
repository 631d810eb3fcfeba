"""``mcks check``: tell the mistakes of a configuration, then ask the clusters themselves."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from traitlets.config import Config

from mcks.core.checking import config_check
from mcks.core.checking.finding import Finding
from mcks.core.commands import check_output
from mcks.core.commands.configuration import load
from mcks.core.trying import cluster_check
from mcks.core.trying.report import Report
from mcks.core.trying.subjects import subjects
from mcks.errors import ConfigError, UnknownCluster


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
    return asyncio.run(cluster_check.check(chosen, deadline=arguments.timeout))
