"""A configuration as a text, loaded as JupyterHub loads its file."""

from __future__ import annotations

from pathlib import Path

from traitlets.config import Config

from mcks.core.checking import config_file


def configuration(directory: Path, text: str) -> Config:
    """Write *text* into a file of *directory* and load it."""
    path = directory / "jupyterhub_config.py"
    path.write_text(text)
    return config_file.read(path)
