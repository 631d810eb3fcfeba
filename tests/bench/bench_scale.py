"""``make bench-scale``: what a hub costs with many servers in many clusters, and how that grows.

The clusters (scale_world) and the hub (scale_hub) are processes of their own. Options: sizes, as
``SERVERS/CLUSTERS``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.scale_hub import Figures

SIZES = ("1000/10", "3000/10", "10000/10", "10000/1", "10000/50")
_ROWS = (
    ("find all: CPU, s", "find cpu s"),
    ("find all: wall, s", "find wall s"),
    ("find all: longest block, ms", "find block ms"),
    ("sweep of all clusters: CPU, s", "sweep cpu s"),
    ("sweep of all clusters: longest block, ms", "sweep block ms"),
    ("sweep of all clusters: SQL statements", "sweep statements"),
    ("look for another holder of a name, us", "holder one us"),
    ("500 of them: SQL statements", "holder statements"),
    ("all API servers away for 5 s: CPU, s", "outage cpu s"),
    ("all API servers away for 5 s: longest block, ms", "outage block ms"),
    ("all API servers away for 5 s: seen again after, s", "outage wall s"),
    ("memory per server beyond a spawner that does nothing, kB", "memory kB"),
)


def measured(servers: int, clusters: int) -> Figures:
    """Return the figures of mcks; those of JupyterHub's own objects are subtracted from memory."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with _process("scale_world", name, str(servers), str(clusters)) as world:
            assert _line(world) == "ready"
            figures = _hub("mcks", directory, servers, world)
            figures["memory kB"] -= _hub("nothing", directory, servers, world)["memory kB"]
            assert world.stdin is not None
            world.stdin.close()
    return figures


def _hub(kind: str, directory: Path, servers: int, world: subprocess.Popen[str]) -> Figures:
    """Run one hub; carry what it says to the clusters, and back."""
    environment = os.environ | {
        "KUBECONFIG": str(directory / "kubeconfig"),
        "SSL_CERT_FILE": str(directory / "ca.pem"),
    }
    words = (kind, str(directory), str(servers))
    with _process("scale_hub", *words, env=environment) as hub:
        assert hub.stdin is not None
        assert world.stdin is not None
        while not (line := _line(hub)).startswith("{"):
            world.stdin.write(line + "\n")
            world.stdin.flush()
            hub.stdin.write(_line(world) + "\n")
            hub.stdin.flush()
    figures: Figures = json.loads(line)
    return figures


def _process(module: str, *words: str, **settings: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"tests.bench.{module}", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, **settings)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the process ended"
    return line.strip()


def table(results: dict[str, Figures]) -> str:
    """Show the figures of each size, one in a column."""
    lines = ["servers/clusters".ljust(58) + "".join(f"{size:>12}" for size in results)]
    for title, name in _ROWS:
        cells = "".join(f"{figures[name]:>12.4g}" for figures in results.values())
        lines.append(title.ljust(58) + cells)
    return "\n".join(lines)


def main(sizes: Sequence[str]) -> None:
    """Measure each of *sizes* and print the table."""
    results = {}
    for size in sizes or SIZES:
        servers, _, clusters = size.partition("/")
        results[size] = measured(int(servers), int(clusters))
    print(table(results))


if __name__ == "__main__":
    main(sys.argv[1:])
