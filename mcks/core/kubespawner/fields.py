"""``{username}`` and its like in KubeSpawner's values. Pure.

Where such fields may stand is said by `words`; Jinja2 templates of mcks do not belong here.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any, Self

from mcks.core.kubespawner.slugs import FIELD_LENGTH, escape_slug, safe_slug, server_slug
from mcks.errors import ConfigError, unknown

Fields = Mapping[str, str]
"""Name of a field -> what stands in its place."""

SCHEMES = ("safe", "escape")


def fields_of(
    user_id: int, username: str, servername: str, *, scheme: str, hub_namespace: str
) -> dict[str, str]:
    """Return the fields that describe one server; *scheme* is KubeSpawner's ``slug_scheme``.

    Raises ConfigError for another scheme.
    """
    check_scheme(scheme)
    escaped = escape_slug(username), escape_slug(servername)
    forms = {
        "safe": safe_names(username, servername),
        "escape": (*escaped, f"{escaped[0]}--{escaped[1]}" if servername else escaped[0]),
    }
    found = dict(zip(("username", "servername", "user_server"), forms[scheme], strict=True))
    for form, values in forms.items():
        prefix = "escaped" if form == "escape" else form
        names = (f"{prefix}_username", f"{prefix}_servername", f"{prefix}_user_server")
        found |= zip(names, values, strict=True)
    return found | {
        "userid": str(user_id),
        "unescaped_username": username,
        "unescaped_servername": servername,
        "escaped_user_server": f"{escaped[0]}--{escaped[1]}",
        "hubnamespace": "user" if hub_namespace == "default" else hub_namespace,
    }


def check_scheme(scheme: str) -> None:
    """Raise ConfigError if *scheme* is none that KubeSpawner knows."""
    if scheme not in SCHEMES:
        raise ConfigError(f"slug_scheme {scheme!r} must be one of: {', '.join(SCHEMES)}")


def safe_names(username: str, servername: str) -> tuple[str, str, str]:
    """Return the safe names of a user, of their server, and of both."""
    return (
        safe_slug(username, max_length=FIELD_LENGTH),
        safe_slug(servername, max_length=FIELD_LENGTH) if servername else "",
        server_slug(username, servername),
    )


def literal(value: Any) -> Any:
    """Double the braces in all texts of *value*, so that ``expand`` gives it back as it is.

    >>> literal({"{key}": ["{username}"]})
    {'{key}': ['{{username}}']}
    """
    if isinstance(value, str):
        return value.replace("{", "{{").replace("}", "}}")
    if isinstance(value, Mapping):
        return {key: literal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [literal(item) for item in value]
    return value


class Later(str):
    """A text that a start expands as soon as it knows its names; until then it is as written.

    *template* has the fields. What cannot be expanded stays the text.
    """

    __slots__ = ("template",)
    template: str

    def __new__(cls, text: str, template: str) -> Self:
        """Make the text of *text*."""
        made = super().__new__(cls, text)
        made.template = template
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """Say what a copy is made of."""
        return str(self), self.template


def later(plain: Any, template: Any) -> Any:
    """Mark all texts of *plain* as those that are expanded later; *template* is of its shape."""
    if isinstance(plain, str):
        return Later(plain, template)
    if isinstance(plain, Mapping):
        return {
            key: later(item, inner)
            for (key, item), inner in zip(plain.items(), template.values(), strict=True)
        }
    if isinstance(plain, list | tuple):
        return [later(item, inner) for item, inner in zip(plain, template, strict=True)]
    return plain


_VALUE = re.compile(r"\{\{|\}\}|\{value\}")


def insert_value(template: Any, value: str) -> Any:
    """Put a user's *value* where ``{value}`` stands, in what is expanded later.

    Doubled braces become single ones, as KubeSpawner has it; those of *value* stay its own.

    >>> insert_value("{value}-{username}-{{userid}}", "{pwd}")
    '{{pwd}}-{username}-{userid}'
    """
    if isinstance(template, str):
        said = {"{{": "{", "}}": "}", "{value}": literal(value)}
        return _VALUE.sub(lambda found: said[found[0]], template)
    if isinstance(template, Mapping):
        return {
            str(key).replace("{value}", value): insert_value(item, value)
            for key, item in template.items()
        }
    if isinstance(template, list | tuple):
        return [insert_value(item, value) for item in template]
    return template


class _Formatter(string.Formatter):
    """Knows names only: no attributes, no items, no positions."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        if field_name not in kwargs:
            told = unknown("field", "{" + field_name + "}", kwargs)
            raise ConfigError(f"{told}. If no field is meant: {{{{{field_name}}}}}")
        return kwargs[field_name], field_name


_FORMATTER = _Formatter()


def expand_text(template: str, fields: Fields) -> str:
    """Put *fields* into *template*; ``{{`` and ``}}`` are single braces.

    A ``-`` that only an empty field leaves at the end is taken off. Raises ConfigError for an
    unknown field and for a brace that stands alone.
    """
    try:
        text = _FORMATTER.vformat(template, (), fields)
    except ValueError as exc:
        raise ConfigError(f"{exc}: write a brace of its own twice") from exc
    return text if template.endswith("-") else text.rstrip("-")


def expand(value: Any, fields: Fields) -> Any:
    """Put *fields* into all texts of *value*, however deep; keys of dicts stay as they are.

    Raises ConfigError that names the keys.
    """
    if isinstance(value, str):
        return expand_text(value, fields)
    if isinstance(value, Mapping):
        return _expand_items(value, fields)
    if isinstance(value, list | tuple):
        return [_expand_item(item, fields) for item in value]
    return value


def _expand_item(item: Any, fields: Fields) -> Any:
    """Expand an item of a list; objects in lists are told by their names."""
    try:
        return expand(item, fields)
    except ConfigError as exc:
        name = item.get("name") if isinstance(item, Mapping) else None
        raise ConfigError(f"{name}: {exc}" if name else str(exc), code=exc.code) from exc


def _expand_items(value: Mapping[Any, Any], fields: Fields) -> dict[Any, Any]:
    expanded = {}
    for key, item in value.items():
        try:
            expanded[key] = expand(item, fields)
        except ConfigError as exc:
            raise ConfigError(f"{key}: {exc}", code=exc.code) from exc
    return expanded


def expand_word(word: str, value: Any, fields: Fields) -> Any:
    """Put *fields* into all texts of *value*, which *word* says. Raises ConfigError that names it.

    >>> expand_word("working_dir", "/home/{username}", {"username": "ada"})
    '/home/ada'
    """
    try:
        return expand(value, fields)
    except ConfigError as exc:
        raise ConfigError(f"{word}: {exc}", code=exc.code) from exc


def expand_marked(value: Any, fields: Fields) -> Any:
    """Put *fields* into the texts of *value* that are marked for it, and leave the others alone."""
    if isinstance(value, Later):
        try:
            return expand_text(value.template, fields)
        except ConfigError:  # braces that mean something else, as in JSON
            return str(value)
    if isinstance(value, Mapping):
        return {key: expand_marked(item, fields) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [expand_marked(item, fields) for item in value]
    return value
