"""The files that a contributor's editor, git and forge read say what the project does."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcks.core import cli

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def _hooks() -> list[dict[str, Any]]:
    described = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    return [hook for repo in described["repos"] for hook in repo["hooks"]]


def test_the_hooks_of_a_commit_run_the_tools_that_make_lint_runs() -> None:
    makefile = (ROOT / "Makefile").read_text().replace("$(BIN)", ".venv/bin")
    lint = makefile.partition("\nlint:")[2].partition("\n\n")[0]
    entries = [
        hook["entry"].replace(" --fix", "").replace(" --force-exclude", "") for hook in _hooks()
    ]
    assert len(entries) == 4
    assert [entry for entry in entries if entry not in lint] == []


def test_the_hooks_download_nothing() -> None:
    described = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert {repo["repo"] for repo in described["repos"]} == {"local"}
    assert {hook["language"] for hook in _hooks()} == {"system"}


def test_the_hook_for_other_repositories_is_a_command_that_is_understood() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    program, *arguments = f"{hook['entry']} jupyterhub_config.py".split()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert program in scripts
    assert cli._parser().parse_args(arguments).config == "jupyterhub_config.py"


def test_the_forge_runs_what_continuous_integration_runs() -> None:
    (workflow,) = WORKFLOWS
    steps = yaml.safe_load(workflow.read_text())["jobs"]["test"]["steps"]
    assert [step["run"].split()[-2:] for step in steps if "run" in step] == [["bash", ".ci/run"]]


def test_the_forge_runs_the_oldest_python_that_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = WORKFLOWS[0].read_text()
    assert f'python-version: "{project["requires-python"].removeprefix(">=")}"' in text


@pytest.mark.slow
def test_actionlint_finds_no_mistake_in_the_workflow() -> None:
    assert WORKFLOWS
    go = shutil.which("go")
    assert go, "Go is not installed"
    told = subprocess.run(
        [go, "run", ACTIONLINT, "-shellcheck=", *WORKFLOWS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
