"""What of ``c.KubeSpawner`` changes nothing, as ``mcks check`` and the hub's log say it. Pure.

What the section means (kubespawner/section.py) does not belong here.
"""

from __future__ import annotations

from collections.abc import Collection

from traitlets.config import Config

from mcks.core.kubespawner import section
from mcks.core.profiles.kubespawner_traits import without_effect


def problems(config: Config, ours: Collection[str]) -> list[str]:
    """Return a sentence for each name that is read and is nobody's; *ours* are mcks' traits."""
    return [section.advice(name, ours) for name, wrong in section.ignored(config, ours) if wrong]


def notes(config: Config, ours: Collection[str]) -> list[str]:
    """Return a sentence for each name that has no effect."""
    without = [name for name, wrong in section.ignored(config, ours) if not wrong]
    if section.is_read(config):
        return [without_effect(f"c.KubeSpawner.{name}", name) for name in without]
    remedy = f"write c.MultiClusterKubeSpawner.{section.SWITCH} = True to have that section read"
    return [f"c.KubeSpawner.{name} is ignored: {remedy}" for name in without]
