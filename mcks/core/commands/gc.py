"""``mcks gc``: what servers left in the clusters; found, shown, and deleted on request.

What an orphan is (orphans.py), and how the hub itself cleans up (sweep.py), does not belong here.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.cluster import CONTEXT_PREFIX
from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.clusters.pool import Pool
from mcks.core.commands import layout
from mcks.core.commands.configuration import load
from mcks.core.hub import sweep
from mcks.core.knowledge import database
from mcks.core.knowledge.orphans import HubKnowledge, Orphan
from mcks.core.profiles import namespaces
from mcks.core.trying.subjects import subjects
from mcks.errors import ConfigError, MCKSError

_HEADINGS = ("cluster", "object", "user", "server", "age", "")


@dataclass(frozen=True)
class GcOptions:
    """What to do. *min_age* is in seconds: what is younger may belong to a start under way.

    *delete*: servers' orphans; *data*: users' data, too.
    """

    hub_id: str
    min_age: float
    delete: bool = False
    data: bool = False


@dataclass
class Finding:
    """An orphan, and what became of it: ``found``, ``too young``, ``data``, ``deleted``, or why
    it could not be deleted."""

    orphan: Orphan
    result: str


@dataclass
class Report:
    """What one cluster holds. *problem*: why it could not be looked at."""

    cluster: str
    findings: list[Finding] = field(default_factory=list)
    problem: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing is left that an administrator should look at."""
        return not self.problem and all(f.result == "deleted" for f in self.findings)


async def collect(
    name: str, connecting: Awaitable[ConnectedCluster], known: HubKnowledge, options: GcOptions
) -> Report:
    """Look for orphans in the cluster *name* and delete what *options* says. Never raises."""
    report = Report(name.removeprefix(CONTEXT_PREFIX))
    log = logging.getLogger("mcks.gc")
    try:
        cluster = await connecting
        for orphan in await sweep.find_all(cluster, known, options.hub_id, log):
            finding = Finding(orphan, _judged(orphan, options))
            report.findings.append(finding)
            if finding.result == "found" and options.delete:
                finding.result = await _delete(cluster, orphan, options.hub_id)
    except MCKSError as exc:
        report.problem = str(exc)
    return report


def _judged(orphan: Orphan, options: GcOptions) -> str:
    if orphan.age < options.min_age:
        return "too young"
    return "data" if orphan.is_data and not options.data else "found"


async def _delete(cluster: ConnectedCluster, orphan: Orphan, hub_id: str) -> str:
    try:
        await sweep.delete(cluster.client, orphan, hub_id)
    except MCKSError as exc:
        return str(exc)
    return "deleted"


def table(reports: Sequence[Report]) -> str:
    """Lay the findings out for a terminal: a line each, and a last one with their number."""
    found = [
        (
            report.cluster,
            str(finding.orphan.where),
            finding.orphan.user,
            finding.orphan.server,
            _age(finding.orphan.age),
            finding.result,
        )
        for report in reports
        for finding in report.findings
    ]
    lines = layout.columns([_HEADINGS, *found]) if found else []
    lines += [f"{r.cluster}: cannot be looked at: {r.problem}" for r in reports if r.problem]
    return "\n".join([*lines, layout.counted(len(found), "orphan")]) + "\n"


def as_json(reports: Sequence[Report]) -> str:
    """Give the same for programs: ``[{cluster, problem, orphans: [...]}]``; age in seconds."""
    return layout.as_json([_plain(report) for report in reports])


def _plain(report: Report) -> dict[str, Any]:
    orphans = [
        {
            "kind": f.orphan.where.kind,
            "name": f.orphan.where.name,
            "namespace": f.orphan.where.namespace,
            "user": f.orphan.user,
            "server": f.orphan.server,
            "age": round(f.orphan.age),
            "data": f.orphan.is_data,
            "result": f.result,
        }
        for f in report.findings
    ]
    return {"cluster": report.cluster, "problem": report.problem, "orphans": orphans}


def _age(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def run(arguments: argparse.Namespace) -> int:
    """List what is left behind and delete what is asked for; 1 if something is left."""
    config = load(arguments)
    spawner = sample_spawner(config, "ada")
    if arguments.delete and not spawner.hub_id:
        raise ConfigError(
            "without c.MultiClusterKubeSpawner.hub_id this hub's servers cannot be told from "
            "another's: set it, or delete by hand what is listed without --delete"
        )
    min_age = arguments.older_than
    if min_age is None:
        min_age = spawner.start_timeout + sweep.MARGIN
    options = GcOptions(spawner.hub_id, min_age, arguments.delete, arguments.data)
    url = arguments.database or database.url_of(config)
    names = [subject.name for subject in subjects(config, arguments.clusters)]
    with database.opened(url) as session:
        known = database.knowledge(session, spawner.hub_id)
    known.namespaces |= namespaces.said(spawner)
    reports = asyncio.run(_collect_all(config, spawner.clusters, names, known, options))
    show = as_json if arguments.json else table
    arguments.answer.write(show(reports))
    return 0 if all(report.clean for report in reports) else 1


async def _collect_all(
    config: Config,
    clusters: Mapping[str, Any],
    names: Sequence[str],
    known: HubKnowledge,
    options: GcOptions,
) -> list[Report]:
    pool = Pool(config, logging.getLogger("mcks"))
    try:
        return await asyncio.gather(
            *(collect(name, pool.connect(name, clusters), known, options) for name in names)
        )
    finally:
        await pool.close()
