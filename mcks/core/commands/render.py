"""``mcks render``: show the objects that a user would get."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import logging
import sys
from collections.abc import Iterator, Sequence

import yaml

from mcks.core.checking.sample import Sample, hooked, without_failing
from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.clusters.pool import Pool
from mcks.core.commands.configuration import load
from mcks.core.hub import pod_hooks
from mcks.core.manifests.levels import merge_levels
from mcks.core.objects import Manifest, ref
from mcks.core.servers import plan
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import MCKSError


def run(arguments: argparse.Namespace) -> int:
    """Print the sample user's objects as YAML, or with ``--diff`` what each patch changes."""
    config = load(arguments)
    sample = Sample(config, arguments.user, arguments.group)
    spawner = sample.spawner(arguments.profile, arguments.server)
    spawner.user_options |= dict(_pair(option) for option in arguments.option)
    asyncio.run(_as_a_start_does(spawner))
    configured = spawner.configured(Pool(config, logging.getLogger("mcks")))
    plan.settle(spawner, configured.cluster)
    for failure in without_failing(spawner):
        sys.stderr.write(f"mcks: {failure}: it is left out here\n")
    if arguments.diff:
        arguments.answer.write(_differences(spawner, configured))
    else:
        arguments.answer.write(as_yaml(_hooked(spawner, plan.make(spawner, configured)).objects))
    return 0


def _hooked(spawner: MultiClusterKubeSpawner, planned: Plan) -> Plan:
    """Return *planned* as the administrator's hook leaves it; one that fails is told."""
    planned, failure = hooked(spawner, planned)
    if failure:
        sys.stderr.write(f"mcks: {failure}: it is left out here\n")
    return planned


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
    """Compare the objects before and after KubeSpawner's words, then one patch more each time."""
    patches = merge_levels(spawner.patches)
    spawner.patches = {}
    before = _texts(plan.make(spawner, configured, translated=False))
    steps: dict[str, dict[str, str]] = {"KubeSpawner's words": {}}
    for number, key in enumerate(patches, 1):
        steps[f"patch {key!r}"] = dict(list(patches.items())[:number])
    parts: list[str] = []
    for step, applied in steps.items():
        spawner.patches = applied
        planned = plan.make(spawner, configured)
        after = _texts(planned)
        parts += _difference(step, before, after)
        before = after
    parts += _difference(pod_hooks.MODIFY, before, _texts(_hooked(spawner, planned)))
    return "".join(parts)


def _difference(step: str, before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for name in {**before, **after}:
        yield from difflib.unified_diff(
            before.get(name, "").splitlines(keepends=True),
            after.get(name, "").splitlines(keepends=True),
            f"{name} before {step}",
            f"{name} after {step}",
        )


def _texts(planned: Plan) -> dict[str, str]:
    return {str(ref(manifest)): as_yaml([manifest]) for manifest in planned.objects}
