"""The profile form as HTML, and what a posted form or a link says. Pure.

Which profiles exist, what they change, and whether a choice is valid does not belong here.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import quote

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, Template
from jinja2.runtime import Macro
from markupsafe import Markup

from mcks.core.profiles.profile_list import DATA_OPTION, ELSEWHERE, UNLISTED, Option, Profile
from mcks.core.profiles.selection import Selection

FORM = "form.html"
_OURS = "mcks-form"
"""A field that only the form of mcks posts."""
_SHARED = "mcks-lists-"
"""How the name of lists begins that several profiles share, and that of each field in them."""
_OWN = "profile-option-"
_SEARCH_FROM = 10
_REMEMBERED = 1000
"""Profiles whose part of the form is kept, some kilobytes each."""
_HUB = "/hub/"
_LINK = r"""(<(?:a|form|img|link|script)\b[^<>]*?\s(?:action|href|src)=["']?)/hub/"""
"""A link in a template to the hub, as packages write it for a hub without a base URL."""


class DataQuestion(NamedTuple):
    """Where the user's data is, by the clusters' names, and whether the form asks about it.

    ``agreed``: a link says that a server may start without it; that is preselected.
    """

    where: tuple[str, ...] = ()
    asks: bool = False
    agreed: bool = False


NO_QUESTION = DataQuestion()


@lru_cache(maxsize=8)
def _environment(directories: tuple[str, ...]) -> Environment:
    environment = Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=ChoiceLoader(
            [FileSystemLoader(directories), PackageLoader("mcks.core", "templates")]
        ),
    )
    # templates hand the list to scripts: its order is the administrator's
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    return environment


@lru_cache(maxsize=8)
def _compiled(template: str, directories: tuple[str, ...]) -> Template:
    return _environment(directories).from_string(template)


def _template(template: str, directories: tuple[str, ...]) -> Template:
    if template:
        return _compiled(template, directories)
    return _environment(directories).select_template([FORM, f"{FORM}.j2"])


def form(
    template: str,
    profiles: Sequence[Profile],
    *,
    directories: Sequence[str] = (),
    chosen: Selection | None = None,
    hub_url: str = _HUB,
    data: DataQuestion = NO_QUESTION,
) -> str:
    """Render the form as HTML, with what is *chosen* preselected, else the defaults.

    Templates see of the user's options only what is *chosen*: that is there and can start.

    An empty *template* is the file form.html of the first of the *directories* that has one, else
    the form that ships with mcks. All texts are escaped but ``description_html``. Links of a
    template to ``/hub/`` lead to *hub_url*, the hub's path, which may be below a base URL.
    """
    found = _template(template, tuple(directories))
    shown = [_shown_profile(profile, chosen) for profile in profiles]
    html = found.render(
        profile_list=shown,
        kept=partial(_kept, found),
        shared=partial(_shared, shown),
        user_options=chosen.user_options if chosen is not None else {},
        notices=chosen.notices if chosen is not None else (),
        search=len(profiles) >= _SEARCH_FROM,
        data=data,
        data_option=DATA_OPTION,
        elsewhere=ELSEWHERE,
    )
    return html if hub_url == _HUB else re.sub(_LINK, lambda found: found[1] + hub_url, html)


class Shown(dict[str, Any]):
    """What templates see of a profile; what our form makes of it is kept, by template and macro."""

    def __init__(self, seen: dict[str, Any], asked: Callable[[], str]) -> None:
        super().__init__(seen)
        self.html: dict[tuple[Template, str], Markup] = {}
        self._asked = asked

    @cached_property
    def lists(self) -> str:
        """The name of what is asked: the same for all that ask the same. Empty for nothing."""
        asked = self._asked()
        digest = blake2b(asked.encode(errors="surrogatepass"), digest_size=5)
        return _SHARED + digest.hexdigest() if asked else ""


def _kept(template: Template, shown: Shown, make: Macro) -> Markup:
    """Return what *make*, a macro of *template*, makes of a profile: mostly the same for all."""
    if (key := (template, make.name)) not in shown.html:
        shown.html[key] = Markup(make(shown))  # noqa: S704 (a macro escapes)
    return shown.html[key]


class Group(NamedTuple):
    """Profiles that ask the same, of which our form has the lists once: those to choose from."""

    available: tuple[Shown, ...]

    @property
    def shown(self) -> Shown:
        """The profile whose answers the lists show: the one that is preselected, if it is here."""
        return next((one for one in self.available if one["default"]), self.available[0])

    @property
    def members(self) -> str:
        """Whose the lists are, as the form posts it: slugs, quoted, with spaces between them."""
        return " ".join(_quoted(one["slug"]) for one in self.available)


def _shared(profiles: Sequence[Shown]) -> dict[str, Group]:
    """Find the profiles that ask the same as others, by the name of their lists."""
    asking: dict[str, list[Shown]] = {}
    for shown in profiles:
        if shown.lists:
            asking.setdefault(shown.lists, []).append(shown)
    return {
        name: Group(tuple(one for one in alike if not one["unavailable"]))
        for name, alike in asking.items()
        if len(alike) > 1
    }


def _quoted(slug: str) -> str:
    return quote(slug, safe="", errors="surrogatepass")


_unchosen: OrderedDict[int, tuple[Profile, Shown]] = OrderedDict()
"""By the profile's identity: what is shown of it to those who have not chosen it."""


def _shown_profile(profile: Profile, chosen: Selection | None) -> Shown:
    """What templates see of a profile: kubespawner's fields, without anything that it overrides."""
    asked = partial(_asked, profile.options)
    if chosen is not None and chosen.profile.slug == profile.slug:
        return Shown(_seen(profile, default=True, answers=chosen.options), asked)
    if chosen is None and profile.default:
        return Shown(_seen(profile, default=True, answers={}), asked)
    known, shown = _unchosen.get(id(profile), (None, None))
    if known is not profile or shown is None:
        shown = Shown(_seen(profile, default=False, answers={}), asked)
        _unchosen[id(profile)] = profile, shown
        if len(_unchosen) > _REMEMBERED:
            _unchosen.popitem(last=False)
    return shown


def _asked(options: Sequence[Option]) -> str:
    """Write down what our form shows of *options* before they are answered."""
    said = [
        (
            option.key,
            option.display_name,
            option.description,
            [
                (c.key, c.display_name, c.default, c.unavailable, c.asks, c.news)
                for c in option.choices
            ],
            (own := option.unlisted) is not None
            and (
                own.display_name,
                own.display_name_in_choices,
                own.validation_regex,
                own.validation_message,
            ),
        )
        for option in options
    ]
    return repr(said) if said else ""


def _seen(profile: Profile, *, default: bool, answers: Mapping[str, str]) -> dict[str, Any]:
    return {
        **profile.extra,
        "slug": profile.slug,
        "display_name": profile.display_name,
        "description": profile.description,
        "description_html": Markup(profile.description_html),  # noqa: S704 (trusted by its name)
        "default": default,
        "unavailable": profile.unavailable,
        "asks": profile.asks,
        "news": profile.news,
        "profile_options": {
            option.key: _shown_option(profile.slug, option, answers.get(option.key))
            for option in profile.options
        },
    }


def _shown_option(slug: str, option: Option, answer: str | None) -> dict[str, Any]:
    keys = {choice.key for choice in option.choices}
    written = answer if answer is not None and answer not in keys else ""
    shown: dict[str, Any] = {
        **option.extra,
        "id": f"{_OWN}{slug}--{option.key}",
        "display_name": option.display_name,
        "description": option.description,
        "choices": {
            choice.key: {
                **choice.extra,
                "display_name": choice.display_name,
                "description": choice.description,
                "default": choice.key == answer if answer is not None else choice.default,
                "unavailable": choice.unavailable,
                "asks": choice.asks,
                "news": choice.news,
            }
            for choice in option.choices
        },
        "unlisted_choice": {"enabled": False},
        "written": written,
    }
    if option.unlisted is not None:
        shown["unlisted_choice"] = {
            **option.unlisted.extra,
            "enabled": True,
            "display_name": option.unlisted.display_name,
            "display_name_in_choices": option.unlisted.display_name_in_choices,
            "validation_regex": option.unlisted.validation_regex,
            "validation_message": option.unlisted.validation_message,
        }
    return shown


def is_field(name: str) -> bool:
    """Tell whether the form has fields of this *name*."""
    return name in ("profile", DATA_OPTION) or name.startswith((_OWN, _SHARED))


def user_options(form_data: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Read a posted form or a link: ``{"profile": ["gpu"]}`` becomes ``{"profile": "gpu"}``.

    The fields ``profile-option-gpu--image`` and ``profile-option-gpu--image--unlisted-choice``
    become ``image`` and ``image--unlisted-choice``; those of other profiles are left out. Lists
    that several profiles share have a name of their own, and a field that tells whose they are.
    """
    slug, answer = _first(form_data.get("profile")), _first(form_data.get(DATA_OPTION))
    consent = {DATA_OPTION: answer} if answer else {}
    if not slug:
        return consent
    shared = _lists_of(slug, form_data)
    options = _answers(form_data, f"{shared}--") if shared else {}
    options |= _answers(form_data, f"{_OWN}{slug}--")
    if _OURS in form_data:
        _keep_one_of_each(options)
    return {**options, "profile": slug, **consent}


def _answers(form_data: Mapping[str, Sequence[Any]], prefix: str) -> dict[str, str]:
    answers = {
        name.removeprefix(prefix): _first(values)
        for name, values in form_data.items()
        if name.startswith(prefix)
    }
    return {key: value for key, value in answers.items() if key and value}


def _lists_of(slug: str, form_data: Mapping[str, Sequence[Any]]) -> str:
    """Return the name of the shared lists of which a field says that they are this profile's."""
    for name, values in form_data.items():
        if (
            name.startswith(_SHARED)
            and "--" not in name
            and _quoted(slug) in _first(values).split()
        ):
            return name
    return ""


def _keep_one_of_each(options: dict[str, str]) -> None:
    """Without scripts our form posts both a list and the text beside it: the list decides."""
    for name in [key for key in options if key.endswith(f"--{UNLISTED}")]:
        listed = options.get(beside := name.removesuffix(f"--{UNLISTED}"))
        if listed == UNLISTED:
            del options[beside]
        elif listed:
            del options[name]


def _first(values: Any) -> str:
    """Return the first value of a field, empty for a file and what else is no text."""
    found = values[0] if isinstance(values, list | tuple) and values else ""
    return found if isinstance(found, str) else ""
