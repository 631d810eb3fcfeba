"""The package that the page *Write a backend* builds works, in a virtual environment of its own."""

from __future__ import annotations

import os
import re
import site
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-backend.md"
_FILE = re.compile(r"`(?P<name>[\w.]+\.(?:toml|py))`:\n\n```\w+\n(?P<text>.*?)```\n", re.DOTALL)


def run(*command, cwd):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTEST_"))}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "package"
    folder.mkdir()
    for found in _FILE.finditer(PAGE.read_text("utf-8")):
        (folder / found["name"]).write_text(found["text"])
    return folder


@pytest.fixture
def python(tmp_path):
    """A new environment that sees what is installed here, and nothing else."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=True, symlinks=True)
    inside = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    here = [*site.getsitepackages(), str(PAGE.parents[2])]
    (inside / "here.pth").write_text(
        "\n".join(f"import site; site.addsitedir({p!r})" for p in here)
    )
    return str(home / "bin" / "python")


def test_the_page_holds_the_whole_package(package):
    assert sorted(path.name for path in package.iterdir()) == [
        "mcks_token_broker.py",
        "pyproject.toml",
        "test_mcks_token_broker.py",
    ]


@pytest.mark.slow
def test_it_installs_is_found_by_its_name_and_passes_the_contract(package, python):
    install = ["install", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "."]
    run(python, "-m", "pip", *install, cwd=package)
    code = "from mcks.backends.registry import *; print(backend_class('token-broker').__module__)"
    assert run(python, "-c", code, cwd=package.parent).strip() == "mcks_token_broker"
    (package / "mcks_token_broker.py").unlink()
    options = ["-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"]
    options += ["-o", "asyncio_default_fixture_loop_scope=function"]
    assert " passed" in run(python, "-m", "pytest", *options, cwd=package)
