"""The profile form as HTML, and what a posted form says. Pure.

Which profiles exist, and what they change, does not belong here (profiles.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Template
from jinja2.sandbox import SandboxedEnvironment

from mcks.core.profiles import Profile

_ENVIRONMENT = SandboxedEnvironment(autoescape=True, trim_blocks=True, lstrip_blocks=True)


def default_form_template() -> str:
    """The form that ships with mcks: a list of radio buttons that works without JavaScript."""
    return (files("mcks.core") / "templates" / "form.html.j2").read_text(encoding="utf-8")


@lru_cache(maxsize=8)
def _compiled(template: str) -> Template:
    return _ENVIRONMENT.from_string(template)


def form(template: str, profiles: Sequence[Profile], user_options: Mapping[str, Any]) -> str:
    """Render the form as HTML. All texts are escaped; the last choice is preselected."""
    slugs = {p.slug for p in profiles}
    last = user_options.get("profile")
    shown = [
        {
            "slug": p.slug,
            "display_name": p.display_name,
            "description": p.description,
            "default": p.slug == last if last in slugs else p.default,
        }
        for p in profiles
    ]
    return _compiled(template).render(profile_list=shown)


def user_options(form_data: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Read a posted form: ``{"profile": ["gpu"]}`` becomes ``{"profile": "gpu"}``."""
    chosen = form_data.get("profile") or [None]
    return {"profile": chosen[0]} if chosen[0] else {}
