"""Folders stay small enough to read, and each module's tests are where a reader looks for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "mcks" / "core"
PAGE = ROOT / "docs" / "contributing.md"
HEADING = "### Where else a module is tested"


def _modules(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.py") if path.stem != "__init__"]


def _sources() -> list[Path]:
    found = [path for top in ("mcks", "tests") for path in (ROOT / top).rglob("*.py")]
    assert len(found) > 200
    return found


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_few_modules_stand_directly_in_core_and_in_tests() -> None:
    assert 1 <= len(list(CORE.glob("*.py"))) <= 8
    assert 1 <= len(list((ROOT / "tests").glob("*.*"))) <= 6


FOLDERS = [folder for folder in CORE.iterdir() if (folder / "__init__.py").exists()]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_of_core_can_be_surveyed(folder: Path) -> None:
    assert 1 <= len(_modules(folder)) <= 14


def test_no_module_is_long() -> None:
    lengths = {_name(path): len(path.read_text().splitlines()) for path in _sources()}
    assert {name: lines for name, lines in lengths.items() if lines > 380} == {}


def test_every_module_says_first_what_it_is() -> None:
    texts = {_name(path): path.read_text() for path in _sources()}
    silent = {name for name, text in texts.items() if text and not re.match(r'(#.*\n)*"""', text)}
    assert silent == set()


def _elsewhere() -> dict[str, list[str]]:
    """Module -> where it is tested, as the page says, both below the root."""
    _, found, rest = PAGE.read_text().partition(HEADING)
    assert found
    section = re.split(r"^#", rest, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| (`mcks/.*?) \| (.*?) \|$", section, re.MULTILINE)
    return {
        module: re.findall(r"`(.*?)`", places)
        for modules, places in rows
        for module in re.findall(r"`(.*?)`", modules)
    }


def _own_tests(module: Path) -> Iterator[Path]:
    """Test files and the folder that carry the module's name, in the place that mirrors its own."""
    place = ROOT / "tests" / module.relative_to(ROOT / "mcks").parent
    yield from place.glob(f"test_{module.stem}.py")
    yield from place.glob(f"test_{module.stem}_*.py")
    yield from place.glob(f"{module.stem}/test_*.py")


def test_every_module_has_tests_of_its_name_or_the_page_says_where_else() -> None:
    modules = [path for path in (ROOT / "mcks").rglob("*.py") if not path.stem.startswith("_")]
    assert len(modules) > 80
    without = {_name(module) for module in modules if not any(_own_tests(module))}
    assert without == set(_elsewhere())


def test_the_page_names_places_that_are_there() -> None:
    places = {place for listed in _elsewhere().values() for place in listed}
    assert places
    assert {place for place in places if not (ROOT / place).exists()} == set()
