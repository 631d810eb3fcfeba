"""A terminal gets a table, in colours if it may; a pipe gets lines."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from mcks.core.checking.finding import Finding
from mcks.core.commands.check_formats.terminal import shows_colours, table

FOUND = [
    Finding("MCKS131", "no key\x1b[31m " + "and so on " * 12, "profile 'a'", "Write one"),
    Finding("MCKS140", "a function"),
]


def test_each_finding_has_a_head_line_and_below_it_what_to_do() -> None:
    told = table(FOUND, width=60, colours=False)
    note, *rest = told.splitlines()
    assert note == "note     MCKS140"
    assert "error    MCKS131  profile 'a'" in rest
    assert "         -> Write one" in rest
    assert rest[-1] == "1 problem found"
    assert "\x1b" not in told
    assert max(map(len, rest)) <= 60


def test_colours_are_for_the_severity_only() -> None:
    told = table(FOUND, width=60, colours=True)
    assert told.count("\x1b[") == 2 * 2
    assert "\x1b[31merror   \x1b[0m MCKS131" in told


@pytest.mark.parametrize(
    ("environment", "colours"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_the_environment_may_refuse_colours(environment: dict[str, str], colours: bool) -> None:
    assert shows_colours(environment) is colours


@pytest.mark.slow
@pytest.mark.parametrize(("extra", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_real_terminal_is_told_from_a_pipe(
    tmp_path: Path, extra: dict[str, str], coloured: bool
) -> None:
    config = tmp_path / "jupyterhub_config.py"
    config.write_text("c.MultiClusterKubeSpawner.patchs = {}\n")
    run = "import sys; from mcks.core.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", run, "check", "--offline", "-f", str(config)]
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", **extra}
    primary, secondary = pty.openpty()
    try:
        ran = subprocess.run(
            command, stdout=secondary, stderr=subprocess.PIPE, env=environment, check=False
        )
        shown = os.read(primary, 100_000).decode()
        os.close(secondary)
    finally:
        os.close(primary)
    assert ran.returncode == 1
    assert "MCKS012" in shown
    assert ("\x1b[" in shown) == coloured
    piped = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert "\x1b[" not in piped.stdout
    assert "[MCKS012]" in piped.stdout
