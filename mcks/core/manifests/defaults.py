"""The templates that ship with mcks. Pure."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

ROUTE_KEY = "04-ingress"
"""The key of the route in ``objects``; the original's, so that overrides of it keep working."""

ACCOUNT_KEY = "01-sa"
"""The key of each server's own ServiceAccount."""


@cache
def default_template(name: str) -> str:
    """Read the default template *name* (without ``.yaml.j2``) that ships with mcks."""
    return (files("mcks.core") / "templates" / f"{name}.yaml.j2").read_text(encoding="utf-8")


DEFAULT_OBJECTS = {
    name: default_template(name) for name in ("00-secret", ACCOUNT_KEY, "02-pod", "03-service")
} | {ROUTE_KEY: default_template("ingress")}
"""Key -> template of the five objects that every server has."""
