"""Reads a configuration file as JupyterHub does, and says where it fails. What it configures does
not belong here."""

from __future__ import annotations

import linecache
import sysconfig
import traceback
from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from mcks.errors import BrokenFile, HasMistakes, MCKSError

_NOT_THEIRS = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib"))


def read(path: Path, *, refuse_mistakes: bool = True) -> Config:
    """Run the configuration at *path* and return it.

    Raises BrokenFile for what Python cannot read and for an exception, with file and line;
    HasMistakes if its last line checks it and *refuse_mistakes*; MCKSError if there is no file.
    """
    if not path.is_file():
        raise MCKSError(f"there is no configuration {path}: name it with -f FILE")
    loader = PyFileConfigLoader(path.name, path=str(path.parent))
    try:
        config: Config = loader.load_config()
    except HasMistakes:
        if refuse_mistakes:
            raise
        return loader.config
    except SyntaxError as exc:
        raise _no_python(exc, path) from exc
    except (Exception, SystemExit) as exc:
        raise _failed(exc, path) from exc
    return config


def _no_python(exc: SyntaxError, path: Path) -> BrokenFile:
    file = exc.filename or str(path)
    source = (exc.text or linecache.getline(file, exc.lineno or 0)).strip()
    kind = type(exc).__name__
    return BrokenFile(
        f"{kind}: {exc.msg}",
        file=_short(file, path),
        line=exc.lineno,
        source=source,
        code="MCKS001",
    )


def _failed(exc: BaseException, path: Path) -> BrokenFile:
    """Name the last line of the administrator's own files that was run."""
    frames = traceback.extract_tb(exc.__traceback__)
    theirs = [frame for frame in frames if _is_theirs(frame.filename, path)]
    words = " ".join(str(exc).split())
    told = f"{type(exc).__name__}: {words}" if words else type(exc).__name__
    if not theirs:
        return BrokenFile(told, file=str(path), code="MCKS002")
    last = theirs[-1]
    source = (last.line or "").strip()
    file = _short(last.filename, path)
    return BrokenFile(told, file=file, line=last.lineno, source=source, code="MCKS002")


def _is_theirs(file: str, path: Path) -> bool:
    """Whether *file* is the configuration at *path*, or stands beside it or below."""
    place = Path(file).resolve()
    folder = path.resolve().parent
    if not place.is_file():  # made of a text, as <string> says
        return False
    return place == path.resolve() or (
        place.is_relative_to(folder) and not file.startswith(_NOT_THEIRS)
    )


def _short(file: str, path: Path) -> str:
    """Name *file* as the command line names the configuration at *path*."""
    if Path(file).resolve() == path.resolve():
        return str(path)
    folder = path.resolve().parent
    place = Path(file).resolve()
    return str(path.parent / place.relative_to(folder)) if place.is_relative_to(folder) else file
