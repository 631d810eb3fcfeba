"""``mcks render``: show the objects that a user would get."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import logging
import sys
from collections.abc import Sequence

import yaml

from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.clusters.pool import Pool
from mcks.core.commands.configuration import Sample, load, without_failing
from mcks.core.manifests.levels import merge_levels
from mcks.core.objects import Manifest, ref
from mcks.core.servers import plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import MCKSError


def run(arguments: argparse.Namespace) -> int:
    """Print the sample user's objects as YAML, or with ``--diff`` what each patch changes."""
    config = load(arguments)
    sample = Sample(config, arguments.user, arguments.group)
    spawner = sample.spawner(arguments.profile, arguments.server)
    spawner.user_options |= dict(_pair(option) for option in arguments.option)
    asyncio.run(_as_a_start_does(spawner))
    for failure in without_failing(spawner):
        sys.stderr.write(f"mcks: {failure}: it is left out here\n")
    configured = spawner.configured(Pool(config, logging.getLogger("mcks")))
    if arguments.diff:
        arguments.answer.write(_differences(spawner, configured))
    else:
        arguments.answer.write(as_yaml(plan.make(spawner, configured).objects))
    return 0


async def _as_a_start_does(spawner: MultiClusterKubeSpawner) -> None:
    try:
        await spawner.apply_groups()
        await spawner.apply_profile(spawner.user_options)
    except Exception as exc:
        if not hasattr(exc, "status_code"):
            raise
        raise MCKSError(f"a function of the configuration refuses the start: {exc}") from exc


def _pair(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not equals:
        raise MCKSError(f"--option {option!r} must be NAME=VALUE")
    return name, value


def as_yaml(objects: Sequence[Manifest]) -> str:
    """Write *objects* as a stream of YAML documents."""
    text: str = yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True)
    return text


def _differences(spawner: MultiClusterKubeSpawner, configured: ConfiguredCluster) -> str:
    """Apply one patch more each time and compare."""
    patches = merge_levels(spawner.patches)
    applied: dict[str, str] = {}
    spawner.patches = {}
    before = {str(ref(m)): as_yaml([m]) for m in plan.make(spawner, configured).objects}
    parts: list[str] = []
    for key, patch in patches.items():
        applied[key] = patch
        spawner.patches = dict(applied)
        after = {str(ref(m)): as_yaml([m]) for m in plan.make(spawner, configured).objects}
        for name, text in after.items():
            parts += difflib.unified_diff(
                before.get(name, "").splitlines(keepends=True),
                text.splitlines(keepends=True),
                f"{name} before patch {key!r}",
                f"{name} after patch {key!r}",
            )
        before = after
    return "".join(parts)
