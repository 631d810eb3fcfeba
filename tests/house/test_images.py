"""The Dockerfiles that the pages show build small, pinned images that do not run as root."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy").rglob("Dockerfile"))
KNOWN = {"FROM", "ARG", "USER", "RUN"}


def instructions(file: Path) -> list[tuple[str, str]]:
    """Each instruction and its arguments, without comments, continued lines joined."""
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word, rest) for word, _, rest in (row.partition(" ") for row in joined.split("\n")) if word
    ]


def test_there_are_dockerfiles() -> None:
    assert len(FILES) == 2


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_every_instruction_is_one(file: Path) -> None:
    assert {word for word, _ in instructions(file)} <= KNOWN


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_the_base_is_an_image_of_a_version(file: Path) -> None:
    first, image = instructions(file)[0]
    assert first == "FROM"
    assert re.fullmatch(r"quay\.io/jupyterhub/[a-z0-9-]+:\d+\.\d+\.\d+", image)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_the_image_does_not_run_as_root(file: Path) -> None:
    users = [rest for word, rest in instructions(file) if word == "USER"]
    assert users[-1] not in ("root", "0")
    assert instructions(file)[-1][0] == "USER"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_what_is_installed_has_a_version_and_changes_nothing_else(file: Path) -> None:
    (arguments,) = [rest for word, rest in instructions(file) if word == "RUN"]
    (install,) = re.findall(r"pip install [^&]*", arguments)
    assert {"--no-cache-dir", "--constraint"} <= set(install.split())
    assert install.split()[-1] == '"mcks[all]==${MCKS_VERSION}"'
    declared = [rest for word, rest in instructions(file) if word == "ARG"]
    assert declared == ["MCKS_VERSION"]
