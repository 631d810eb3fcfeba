"""A release of the chart: values merged as Helm merges them, and the hub's configuration of them.

What the values mean (hub_configuration.py) does not belong here.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from traitlets.config import Config

from tests.hub.chart.hub_configuration import configure

ROOT = Path(__file__).parents[3]
DEFAULTS = Path(__file__).with_name("values.yaml")
PAGE = ROOT / "deploy" / "z2jh" / "values.yaml"
"""The values that the page recommends."""
NAMESPACE = "jhub"
"""Where the release is, unless a test says another."""
_FILE = """
import sys

sys.path.insert(0, {root!r})
from tests.hub.chart import release

release.configure(get_config(), release.read({values!r}), {namespace!r}, "http://hub:8081")
"""


def read(*paths: Path | str) -> dict[str, Any]:
    """Return the chart's defaults with the values of the files over them, last wins."""
    return merged(*(yaml.safe_load(Path(path).read_text()) for path in (DEFAULTS, *paths)))


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values as Helm does: mappings key by key, all else as a whole; null takes away.

    >>> merged({"a": {"b": 1, "c": [1]}}, {"a": {"b": None, "c": [2]}})
    {'a': {'c': [2]}}
    """
    found: dict[str, Any] = {}
    for layer in layers:
        for key, said in layer.items():
            below = found.get(key)
            if isinstance(said, Mapping):
                found[key] = merged(below if isinstance(below, Mapping) else {}, said)
            elif said is None:
                found.pop(key, None)
            else:
                found[key] = copy.deepcopy(said)
    return found


def hub_config(*layers: Mapping[str, Any]) -> Config:
    """Return the hub's configuration by the defaults with *layers* of values over them."""
    config = Config()
    configure(config, merged(read(), *layers), NAMESPACE, "http://hub:8081")
    return config


def write(directory: Path, namespace: str, *layers: Mapping[str, Any]) -> Path:
    """Write values and a configuration file for a hub in *namespace* that reads them."""
    values, file = directory / "values.yaml", directory / "chart_config.py"
    values.write_text(yaml.safe_dump(merged(*layers)))
    file.write_text(_FILE.format(root=str(ROOT), values=str(values), namespace=namespace))
    return file
