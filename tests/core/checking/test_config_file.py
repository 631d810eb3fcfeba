"""A configuration that cannot be run is told with file, line and the line itself, and no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcks.core.checking.config_file import read
from mcks.core.cli import main
from mcks.errors import BrokenFile, HasMistakes, MCKSError

BROKEN = [
    ("c.X.y = 1\nif True\n  pass\n", "MCKS001", 2, "SyntaxError", "if True"),
    ("c.X.y = (1,\n", "MCKS001", 1, "SyntaxError: '(' was never closed", "c.X.y = (1,"),
    ("if True:\npass\n", "MCKS001", 2, "IndentationError", "pass"),
    ("c.X.y = 1\nc.X.z = nme\n", "MCKS002", 2, "NameError: name 'nme'", "c.X.z = nme"),
    ("import no_such_module\n", "MCKS002", 1, "ModuleNotFoundError", "import no_such_module"),
    (
        "import os\n\nos.environ['NOPE_']\n",
        "MCKS002",
        3,
        "KeyError: 'NOPE_'",
        "os.environ['NOPE_']",
    ),
    ("def f():\n    return 1 / 0\n\nf()\n", "MCKS002", 2, "ZeroDivisionError", "return 1 / 0"),
    ("import json\njson.loads('{')\n", "MCKS002", 2, "JSONDecodeError", "json.loads('{')"),
    ("raise SystemExit(3)\n", "MCKS002", 1, "SystemExit: 3", "raise SystemExit(3)"),
]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case[3])
def test_a_broken_file_is_told_with_its_line(
    tmp_path: Path, case: tuple[str, str, int, str, str]
) -> None:
    text, code, line, words, source = case
    path = tmp_path / "jupyterhub_config.py"
    path.write_text(text)
    with pytest.raises(BrokenFile) as caught:
        read(path)
    told = caught.value
    assert (told.code, told.file, told.line, told.source) == (code, str(path), line, source)
    assert words in told.what
    assert str(told) == f"{path}, line {line}: {told.what}\n    {source}"


@pytest.mark.parametrize(
    ("way", "named"),
    [
        ("load_subconfig('more.py')", ("more.py", 2)),
        ("exec('a = 1\\nb = nme')", ("jupyterhub_config.py", 2)),
    ],
)
def test_a_file_that_the_configuration_loads_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, named: tuple[str, int]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("more.py").write_text("c.X.y = 1\nc.X.z = nme\n")
    Path("jupyterhub_config.py").write_text(f"\n{way}\n")
    with pytest.raises(BrokenFile, match="NameError") as caught:
        read(Path("jupyterhub_config.py"))
    assert (caught.value.file, caught.value.line) == named


def test_a_configuration_that_checks_itself_can_be_read_nevertheless(tmp_path: Path) -> None:
    path = tmp_path / "jupyterhub_config.py"
    path.write_text("import mcks\nc.MultiClusterKubeSpawner.patchs = {}\nmcks.check_config(c)\n")
    with pytest.raises(HasMistakes, match="unknown trait 'patchs'"):
        read(path)
    assert read(path, refuse_mistakes=False).MultiClusterKubeSpawner.patchs == {}


def test_no_file_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(MCKSError, match="there is no configuration"):
        read(tmp_path / "none.py")


def test_the_commands_tell_it_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "jupyterhub_config.py"
    path.write_text("c.X.y = 1\nc.X.z = nme\n")
    assert main(["check", "-f", str(path)]) == 1
    out, err = capsys.readouterr()
    assert (
        f"- {path}, line 2: NameError: name 'nme' is not defined\n    c.X.z = nme [MCKS002]" in out
    )
    assert "Traceback" not in out + err
    assert main(["render", "--user", "ada", "-f", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"mcks: {path}, line 2: NameError")
    assert main(["check", "--json", "-f", str(path)]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["code"], finding["file"], finding["line"]) == ("MCKS002", str(path), 2)
