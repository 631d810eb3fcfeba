"""``make bench-scale``: what a hub costs with many servers in many clusters, and how that grows.

The clusters (scale_world) and the hub (scale_hub) are processes of their own. KubeSpawner stands
beside the sizes of one cluster, as it knows no more. Options: sizes, as ``SERVERS/CLUSTERS``;
``--plots DIRECTORY`` also draws how it grows (scale_plots).
"""

from __future__ import annotations

import functools
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench import scale_plots
from tests.bench.scale_watch import Figures

SIZES = ("1000/10", "3000/10", "10000/10", "10000/1", "10000/50")


class Row(NamedTuple):
    """A figure, by its name, and what it may be at most with 10,000 servers in 50 clusters."""

    title: str
    name: str
    goal: float | None = None


ROWS = (
    Row("find all: CPU, s", "find cpu s", 6),
    Row("find all: longest turn of the loop, ms", "find block ms", 50),
    Row("sweep of all clusters: CPU, s", "sweep cpu s"),
    Row("sweep of all clusters: longest turn, ms", "sweep block ms", 50),
    Row("sweep of all clusters: SQL statements", "sweep statements", 0),
    Row("all API servers away for 5 s: CPU, s", "outage cpu s", 3),
    Row("all API servers away for 5 s: longest turn, ms", "outage block ms", 50),
    Row("all API servers away for 5 s: seen again after, s", "outage wall s"),
    Row("look for another holder of a name, us", "holder one us"),
    Row("memory per server beyond a spawner that does nothing, kB", "memory kB", 25),
    Row("the same in objects that Python's collector looks at", "objects"),
    Row("form of 300 profiles: CPU, ms", "form ms", 10),
    Row("form of 300 profiles: size, kB", "form kB", 120),
    Row("100 of them at once: longest turn, ms", "forms block ms", 50),
    Row("metrics: CPU, ms", "scrape ms", 15),
    Row("metrics: size, kB", "scrape kB", 150),
    Row("CPU per start in a storm of 500, ms", "storm ms", 3.5),
    Row("the same with all progress pages open, ms", "watched storm ms", 5),
    Row("CPU per start where garbage is looked for less often, ms", "tuned storm ms", 3.5),
    Row("the same with all progress pages open, ms", "tuned watched storm ms", 5),
    Row("storm: longest turn, ms", "storm block ms", 50),
    Row("storm: median, s", "storm p50 s"),
    Row("CPU per stop in a storm, ms", "storm stop ms"),
    Row("storm: SQL statements", "storm statements"),
    Row("one gateway silent: others' median, % more", "silent gateway p50 %", 10),
    Row("one gateway silent: others' p99, % more", "silent gateway p99 %", 10),
    Row("one gateway silent: CPU per start of the others, % more", "silent gateway cpu %", 10),
    Row("two clusters away: others' median, % more", "away p50 %", 10),
    Row("two clusters away: others' p99, % more", "away p99 %", 10),
    Row("two clusters away: CPU per start of the others, % more", "away cpu %", 10),
    Row("two clusters away: their users are told after, s", "away told s", 10),
    Row("two clusters away: the next ones are told after, ms", "away refused ms", 200),
    Row("longest collection of garbage, ms", "find collection ms"),
)
_OF_A_SERVER = ("memory kB", "objects")
MOST = 2.2
"""By which factor a figure of CPU may grow when the servers double."""
MORE = 1.1
"""By which factor it may grow when the clusters double."""


def measured(servers: int, clusters: int, *, faults: bool = False, kind: str = "mcks") -> Figures:
    """Return the figures of *kind*, without those of JupyterHub's own objects in what it holds.

    With *faults* also what others notice when a part of the clusters is away; that takes minutes.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with _process("scale_world", name, str(servers), str(clusters)) as world:
            assert _line(world) == "ready"
            figures = _hub(kind, directory, servers, world, *(["faults"] if faults else []))
            assert world.stdin is not None
            world.stdin.close()
    nothing = _nothing(servers)
    for what in _OF_A_SERVER:
        figures[what] -= nothing[what]
    return figures


@functools.cache
def _nothing(servers: int) -> Figures:
    """Return the figures of a hub whose spawners do nothing; it asks no cluster."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "world.json").write_text('{"c0": "https://127.0.0.1:1"}')
        return _hub("nothing", Path(name), servers)


def _hub(
    kind: str,
    directory: Path,
    servers: int,
    world: subprocess.Popen[str] | None = None,
    *words: str,
) -> Figures:
    """Run one hub; carry what it says to the clusters, and back."""
    environment = os.environ | {
        "KUBECONFIG": str(directory / "kubeconfig"),
        "SSL_CERT_FILE": str(directory / "ca.pem"),
    }
    given = (kind, str(directory), str(servers))
    subprocess.run([sys.executable, "-m", "tests.bench.scale_database", *given], check=True)
    with _process("scale_hub", *given, *words, env=environment) as hub:
        assert hub.stdin is not None
        while not (line := _line(hub)).startswith("{"):
            assert world is not None
            assert world.stdin is not None
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


def table(results: dict[str, Figures], beside: dict[str, Figures] | None = None) -> str:
    """Show the figures of each size, one in a column, and the goals of the largest.

    *beside* are KubeSpawner's, by size: each has a column after that of its size.
    """
    columns: list[tuple[str, Figures]] = []
    for size, figures in results.items():
        columns.append((size, figures))
        if beside and size in beside:
            columns.append(("KubeSpawner", beside[size]))
    lines = ["servers/clusters".ljust(58) + "".join(f"{title:>12}" for title, _ in columns)]
    lines[0] += "    goal"
    for row in ROWS:
        cells = "".join(_cell(figures, row.name) for _, figures in columns)
        goal = "" if row.goal is None else f"{row.goal:>8g}"
        lines.append((row.title.ljust(58) + cells + goal).rstrip())
    return "\n".join(lines)


def _cell(figures: Figures, name: str) -> str:
    return f"{figures[name]:>12.4g}" if name in figures else "-".rjust(12)


def growth(results: dict[str, Figures]) -> Iterator[str]:
    """Say of each figure of CPU how it grows with the servers, and with the clusters."""
    sizes = {size: tuple(map(int, size.split("/"))) for size in results}
    cpu = [row for row in ROWS if row.name.endswith("cpu s")]
    for few, (servers, clusters) in sizes.items():
        for many, (servers_then, clusters_then) in sizes.items():
            if clusters == clusters_then and servers < servers_then:
                bar, factor, what = MOST, servers_then / servers, "servers"
            elif servers == servers_then and clusters < clusters_then:
                bar, factor, what = MORE, clusters_then / clusters, "clusters"
            else:
                continue
            for row in cpu:
                grown = results[many][row.name] / results[few][row.name]
                doubled = grown ** (1 / math.log2(factor))
                yield (
                    f"{row.title}: {few} -> {many}: x {grown:.3g}, x {doubled:.3g} for twice the "
                    f"{what} (at most {bar:g})"
                )


def further(results: dict[str, Figures]) -> Iterator[str]:
    """Say what each further server takes, which is not what a process and its clusters take."""
    sizes = {size: tuple(map(int, size.split("/"))) for size in results}
    for few, (servers, clusters) in sizes.items():
        for many, (servers_then, clusters_then) in sizes.items():
            if clusters != clusters_then or servers >= servers_then:
                continue
            for row in (row for row in ROWS if row.name in _OF_A_SERVER):
                all_of = [results[few][row.name] * servers, results[many][row.name] * servers_then]
                more = (all_of[1] - all_of[0]) / (servers_then - servers)
                yield f"{row.title}: {few} -> {many}: {more:.3g} for each further server"


def main(words: Sequence[str]) -> None:
    """Measure each size and print the table."""
    sizes = [word for word in words if "/" in word and word[0].isdigit()] or SIZES
    results, beside = {}, {}
    for size in sizes:
        servers, clusters = map(int, size.split("/"))
        results[size] = measured(servers, clusters, faults=True)
        if clusters == 1:
            beside[size] = measured(servers, 1, kind="kubespawner")
        print(table({size: results[size]}, beside), flush=True)
    if len(results) > 1:
        print(table(results, beside))
        print("\n".join([*growth(results), *further(results)]))
    if "--plots" in words:
        scale_plots.write(results, Path(words[words.index("--plots") + 1]))


if __name__ == "__main__":
    main(sys.argv[1:])
