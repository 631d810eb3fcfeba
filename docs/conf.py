"""Sphinx's settings. The pages' content does not belong here."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from mcks._version import __version__

project = "mcks"
author = "mcks contributors"
copyright = author
version = release = __version__

extensions = ["autodoc_traits", "myst_parser"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # a template of YAML is not always YAML

html_theme = "sphinx_book_theme"
html_title = "mcks"
html_theme_options = {"use_download_button": False, "use_fullscreen_button": False}

autodoc_member_order = "bysource"
autodoc_typehints = "none"
add_module_names = False
toc_object_entries_show_parents = "hide"

_LONGEST_DEFAULT = 80


class _Long:
    """Stands for a default that is too long for a heading, such as a template."""

    def __repr__(self) -> str:
        return "..."


def _skip(app: Sphinx, what: str, name: str, obj: Any, *_: Any) -> bool | None:
    """Leave out the traits that every spawner has: JupyterHub's manual has them."""
    owner = getattr(obj, "this_class", None)
    if owner is None:
        return None
    if len(repr(obj.default_value)) > _LONGEST_DEFAULT:
        obj.default_value = _Long()
    return None if owner.__module__.startswith("mcks.") else True


def _without_arguments(app: Sphinx, what: str, *_: Any) -> tuple[str, None] | None:
    """Administrators configure these classes; they do not call them."""
    return ("", None) if what in ("class", "configurable") else None


def _without_tree(app: Sphinx, what: str, *rest: Any) -> None:
    """The tree in the docstring of mcks.errors is shown by the page itself."""
    lines: list[str] = rest[-1]
    if what == "module":
        lines.clear()


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.connect("autodoc-skip-member", _skip)
    app.connect("autodoc-process-signature", _without_arguments)
    app.connect("autodoc-process-docstring", _without_tree)
