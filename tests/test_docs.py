"""README and docs tell the truth: their configurations have no mistakes, their commands exist.

A comment ``<!-- not checked: REASON -->`` before a block takes it out.
"""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase
from traitlets.config import Config

from mcks import metrics
from mcks.core import cli
from mcks.core.checking.config_check import check
from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.configure import configure
from mcks.core.servers import plan
from mcks.core.servers.server import Created
from mcks.core.trying import hub_role
from tests.cluster.__main__ import _parser as cluster_parser

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs").glob("[!_]*/*.md"))]
REFERENCE = ROOT / "docs" / "reference"

_BLOCK = re.compile(
    r"(?:^<!-- not checked: (?P<reason>[^\n]+) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>[\w{}-]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[\w-]+))?\)")
_EXAMPLE = {"example": {"context": "example", "ingress_public_url": "https://example.org"}}


def _place(page: Path) -> str:
    return str(page.relative_to(ROOT))


@dataclass(frozen=True)
class Block:
    """A fenced block. ``line`` is that of its first line, 1-based."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{_place(self.page)}:{self.line}"


def _blocks(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in _blocks_of(page) if block.language in languages]


def _blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for match in _BLOCK.finditer(text):
        if match["reason"]:
            continue
        line = text.count("\n", 0, match.start("text")) + 1
        indent = len(match["indent"])
        lines = [row[indent:] for row in match["text"].splitlines()]
        yield Block(page, line, match["language"], "\n".join(lines) + "\n")


def _configures(block: Block) -> bool:
    return re.search(r"^c\.", block.text, re.MULTILINE) is not None


def _execute(block: Block) -> Config:
    """Run *block* as part of a hub with a cluster, if it names none, and with a choice of it."""
    config = Config()
    config.JupyterHub.hub_connect_url = "https://hub.example.org"
    config.JupyterHub.spawner_class = "mcks"
    if "clusters" not in block.text and "kubernetes_context" not in block.text:
        config.MultiClusterKubeSpawner.clusters = dict(_EXAMPLE)
    code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
    exec(code, {"c": config, "get_config": lambda: config})
    spawner = config.MultiClusterKubeSpawner
    if "profile_list" not in spawner and "clusters" in spawner:
        spawner.cluster = next(iter(spawner.clusters))
    return config


def _contexts(value: Any) -> Iterator[str]:
    """All contexts that a configuration names, at any depth."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in ("context", "kubernetes_context") and isinstance(item, str):
                yield item
            yield from _contexts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _contexts(item)


def _bring_kubeconfig(config: Config, path: Path) -> None:
    """Write the kubeconfig that *config* needs, and let it be found."""
    place = {"cluster": "some", "user": "some"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "some", "cluster": {"server": "https://127.0.0.1:6443"}}],
        "users": [{"name": "some", "user": {"token": "some"}}],
        "contexts": [{"name": c, "context": place} for c in sorted(set(_contexts(config)))],
    }
    path.write_text(yaml.safe_dump(document))
    clusters = config.MultiClusterKubeSpawner.get("clusters", {})
    for settings in () if callable(clusters) else clusters.values():
        if "kubeconfig" in settings:
            settings["kubeconfig"] = str(path)


@pytest.mark.parametrize("block", [b for b in _blocks("python") if _configures(b)], ids=str)
def test_a_configuration_has_no_mistake(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _execute(block)
    _bring_kubeconfig(config, tmp_path / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    found = check(config)
    assert (found.problems, found.warnings) == ([], [])


def test_there_are_many_such_configurations() -> None:
    assert len([block for block in _blocks("python") if _configures(block)]) > 20


def test_the_check_finds_a_mistake_in_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'c.MultiClusterKubeSpawner.clusters = {"x": {"context": "x", "namespac": "n"}}\n'
    config = _execute(Block(README, 1, "python", text))
    _bring_kubeconfig(config, tmp_path / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    assert any("namespac" in problem for problem in check(config).problems)


@pytest.mark.parametrize("block", _blocks("python"), ids=str)
def test_python_compiles(block: Block) -> None:
    assert compile(block.text, str(block), "exec")


def test_yaml_parses() -> None:
    blocks = _blocks("yaml")
    assert len(blocks) > 10
    for block in blocks:
        text = re.sub(r"\{%.*?%\}", "", re.sub(r"\{\{.*?\}\}", "value", block.text))
        documents = list(yaml.safe_load_all(text))
        assert documents, block
        assert None not in documents, block


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Each command line of the shell blocks, with the place where it stands."""
    for block in _blocks("shell"):
        text = block.text.replace("\\\n", " ")
        for part in re.split(r"\n|\||&&|;", text):
            words = shlex.split(part, comments=True) if part.count('"') % 2 == 0 else []
            if words:
                yield str(block), words


def _after(words: list[str], *start: str) -> list[str] | None:
    """The arguments of *words* if they begin with *start*, wherever its program lies."""
    names = [Path(words[0]).name, *words[1:]]
    return names[len(start) :] if tuple(names[: len(start)]) == start else None


def _is_understood(parser: argparse.ArgumentParser, arguments: list[str]) -> bool:
    try:
        parser.parse_args(arguments)
    except SystemExit:
        return False
    return True


def test_every_command_line_is_understood() -> None:
    commands = list(_commands())
    assert len(commands) > 20
    wrong = []
    for place, words in commands:
        mcks = _after(words, "mcks")
        clusters = _after(words, "python", "-m", "tests.cluster")
        if mcks is not None and not _is_understood(cli._parser(), mcks):
            wrong.append((place, words))
        if clusters is not None and not _is_understood(cluster_parser(), clusters):
            wrong.append((place, words))
    assert wrong == []


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _subcommands(parser: argparse.ArgumentParser) -> set[str]:
    actions = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return {name for action in actions for name in action.choices}


@pytest.mark.parametrize("page", PAGES, ids=_place)
def test_every_command_that_is_named_exists(page: Path) -> None:
    text = page.read_text()
    inline = re.findall(r"`([^`\n]+)`", text)
    shell = [line for block in _blocks_of(page) if block.language == "shell"
             for line in block.text.splitlines()]  # fmt: skip
    named = [line.split() for line in (*inline, *shell)]
    makes = {words[1] for words in named if words[0:1] == ["make"] and len(words) > 1}
    asked = {words[1] for words in named if words[0:1] == ["mcks"] and len(words) > 1}
    assert makes - _targets() == set()
    assert asked - _subcommands(cli._parser()) - {"COMMAND", "--help", "--version"} == set()


@pytest.mark.parametrize("page", PAGES, ids=_place)
def test_every_link_inside_leads_somewhere(page: Path) -> None:
    dead = []
    for match in _LINK.finditer(_BLOCK.sub("", page.read_text())):
        target = (page.parent / match["path"]).resolve() if match["path"] else page
        if not target.exists() or (match["anchor"] and match["anchor"] not in _anchors(target)):
            dead.append(match[0])
    assert dead == []


def test_links_and_commands_are_found_at_all() -> None:
    text = "".join(_BLOCK.sub("", page.read_text()) for page in PAGES)
    assert len(list(_LINK.finditer(text))) > 50
    assert len(re.findall(r"`(?:make|mcks) \w", text)) > 50


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub and MyST make of headings."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 80


def _rows(page: Path, columns: int) -> list[list[str]]:
    """The cells of the tables of *page* that have this number of columns, without headings."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("|")]
    rows = [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [
        row
        for row, following in zip(rows, [*rows[1:], [""]], strict=True)
        if len(row) == columns and not set(row[0]) <= set("-") and not set(following[0]) <= set("-")
    ] + ([rows[-1]] if rows and len(rows[-1]) == columns else [])


def test_the_role_is_explained_verb_by_verb() -> None:
    explained = {
        ("" if group == "core" else group, resource, verb)
        for group, resources, verbs, why in _rows(
            ROOT / "docs" / "how-to" / "prepare-a-cluster.md", 4
        )
        for resource in resources.split(", ")
        for verb in verbs.split(", ")
        if why
    }
    granted = {
        (group, resource, verb)
        for rule in hub_role.hub_role_rules(hub_role.Needs(isolates=True, quotas=True, warns=True))
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert explained == granted


def test_every_template_variable_is_documented() -> None:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = _EXAMPLE
    spawner = sample_spawner(config, "ada")
    configured = configure("example", spawner.clusters, config, spawner.log)
    server = plan._server(spawner, configured, spawner.translation())
    known = plan._variables(spawner, configured, server, Created("jupyter-ada", "default"))
    rows = _rows(REFERENCE / "template-variables.md", 3)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row[0])} == set(known)


def test_every_label_and_annotation_of_ours_is_documented() -> None:
    sources = [p.read_text() for p in (ROOT / "mcks").rglob("*") if p.suffix in (".py", ".j2")]
    used = {
        name for text in sources for name in re.findall(r"[\w.]*hub\.jupyter\.org/[\w-]+", text)
    }
    assert len(used) > 5
    page = (REFERENCE / "annotations-and-labels.md").read_text()
    assert {name for name in used if f"`{name}" not in page} == set()


def test_every_metric_is_documented() -> None:
    series = [
        m for m in vars(metrics).values() if isinstance(m, MetricWrapperBase | metrics.Requests)
    ]
    described = [metric for s in series for metric in s.describe()]
    page = (REFERENCE / "metrics.md").read_text()
    assert described
    assert [m.name for m in described if f"`{_shown(m)}`" not in page] == []


def _shown(metric: Metric) -> str:
    return metric.name + ("_total" if metric.type == "counter" else "")


def test_every_dependency_has_a_reason() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups = document["project"], document["dependency-groups"]
    lists = [project["dependencies"], *project["optional-dependencies"].values(), *groups.values()]
    wanted = {re.split(r"[\[ ]", d)[0] for named in lists for d in named if isinstance(d, str)}
    assert len(wanted) > 20
    rows = _rows(ROOT / "docs" / "contributing.md", 2)
    assert wanted - {"mcks"} - {name for row in rows for name in row[0].split(", ")} == set()


def test_every_backend_has_its_reference_and_its_extra_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page, readme = (REFERENCE / "clusters.md").read_text(), README.read_text()
    backends = project["entry-points"]["mcks.backends"]
    assert len(backends) >= 5
    for name, place in backends.items():
        assert place.replace(":", ".") in page
        assert name not in project["optional-dependencies"] or f"`{name}`" in readme
