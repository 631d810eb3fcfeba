"""Compare what sample servers are made of before and after a conversion.

The conversion itself, and what may differ, does not belong here.
"""

from __future__ import annotations

import difflib
import itertools
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from traitlets.config import Config

from mcks.core.checking.profiles import with_known_names
from mcks.core.checking.sample import Sample, without_failing
from mcks.core.clusters.pool import Pool
from mcks.core.conversion.sameness import comparable
from mcks.core.objects import Manifest
from mcks.core.profiles import profile_list
from mcks.core.profiles.selection import Picked, Selection
from mcks.core.servers import plan
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError, Tell, at_once

_USERS = ("ada", "Grace.Hopper@example.org")
_SERVERS = ("", "second")
_TEXTS = ("a-text-of-a-user", "2G", "2")
"""What a user may write; the first that the settings take which it is for."""
_NOT_COMPARED = "MCKS105"
"""The code of a cluster without an address: where the hub asks for a server is not compared, and
what has none elsewhere may have one in the hub's Pod."""
_MOST_PAIRS = 200
"""Pairs of choices of one profile that are compared at most."""


@dataclass
class Found:
    """How many *servers* were compared and how many of them differ, and the diff in *lines*."""

    servers: int = 0
    differing: int = 0
    lines: list[str] = field(default_factory=list)


def differences(before: Config, after: Config) -> Found:
    """Compare all that users may choose: each choice once, and pairs of choices of two options.

    Raises ConfigError if a server cannot be planned.
    """
    found = Found()
    for user in _USERS:
        old, new = Sample(before, user), Sample(after, user)
        pairs = zip(_selections(old), _selections(new), strict=True)
        for (one, other), server in itertools.product(pairs, _SERVERS):
            planned = (_planned(old, one, server), _planned(new, other, server))
            lines = list(_diff(*planned, _place(user, server, one)))
            found.servers += 1
            found.differing += bool(lines)
            found.lines += lines
    return found


def _selections(sample: Sample) -> list[Selection | None]:
    listed = sample.spawner().profile_list
    if callable(listed) or not listed:
        return [None]
    profiles = profile_list.parse(listed).profiles
    return [selection for profile in profiles for selection in _of_profile(profile, sample)]


def _of_profile(profile: profile_list.Profile, sample: Sample) -> Iterator[Selection]:
    each = [list(_answers(profile, option, sample)) for option in profile.options]
    defaults = {
        picked.option.key: picked
        for picked in itertools.chain(*each)
        if picked.choice is not None and picked.choice.default
    }
    yield Selection(profile, tuple(defaults.values()))
    for picked in itertools.chain(*each):
        yield _with(profile, defaults, picked)
    pairs = (
        pair
        for one, other in itertools.combinations(each, 2)
        for pair in itertools.product(one, other)
    )
    for pair in itertools.islice(pairs, _MOST_PAIRS):
        yield _with(profile, defaults, *pair)


def _answers(
    profile: profile_list.Profile, option: profile_list.Option, sample: Sample
) -> Iterator[Picked]:
    place = f"profile {profile.slug!r}: profile_options[{option.key!r}]"
    for choice in option.choices:
        yield Picked(option, choice, choice.key, f"{place}.choices[{choice.key!r}]")
    if option.unlisted is not None:
        texts = [Picked(option, None, text, f"{place}.unlisted_choice") for text in _TEXTS]
        yield next((text for text in texts if _is_taken(text, profile, sample)), texts[0])


def _is_taken(picked: Picked, profile: profile_list.Profile, sample: Sample) -> bool:
    mistakes: list[ConfigError] = []
    _choose(sample.spawner(profile.slug), Selection(profile, (picked,)), mistakes.append)
    return not mistakes


def _with(
    profile: profile_list.Profile, defaults: Mapping[str, Picked], *picked: Picked
) -> Selection:
    answers = {**defaults, **{one.option.key: one for one in picked}}
    in_order = (answers[o.key] for o in profile.options if o.key in answers)
    return Selection(profile, tuple(in_order))


def _planned(sample: Sample, chosen: Selection | None, server: str) -> Plan:
    slug = chosen.profile.slug if chosen else ""
    spawner = sample.spawner(slug, server)
    if chosen is not None:
        _choose(spawner, chosen)
    configured = spawner.configured(Pool(sample.config, logging.getLogger("mcks.convert")))
    plan.settle(spawner, configured.cluster)
    without_failing(spawner)
    return plan.make(spawner, configured, tell=_refuse)


def _refuse(mistake: ConfigError) -> None:
    if mistake.code != _NOT_COMPARED:
        raise mistake


def _choose(spawner: MultiClusterKubeSpawner, chosen: Selection, tell: Tell = at_once) -> None:
    """Set what is chosen, but for names that are no traits: the conversion tells those."""
    choosing = spawner.choosing
    choosing.profile, choosing.options = chosen.profile.slug, chosen.options
    known = [with_known_names(level, type(spawner)) for level in chosen.levels]
    choosing.overrides.apply_values(known, tell)


def _place(user: str, server: str, chosen: Selection | None) -> str:
    said = {"user": user, "server": server, "profile": chosen.profile.slug if chosen else ""}
    answers = dict(chosen.options) if chosen else {}
    return ", ".join(f"{name} {value}" for name, value in {**said, **answers}.items() if value)


def _diff(old: Plan, new: Plan, place: str) -> Iterator[str]:
    before, after = (
        {"the server": _whereabouts(made), **comparable(made.objects)} for made in (old, new)
    )
    for name in {**before, **after}:
        one, other = _without_values(before.get(name), after.get(name))
        yield from difflib.unified_diff(
            _lines(one), _lines(other), f"{name} before ({place})", f"{name} after ({place})"
        )


def _whereabouts(made: Plan) -> Manifest:
    """What a start knows of its server beside its objects, in the form of one."""
    own = [" ".join(name) for name in sorted(made.of_server)]
    return {"kind": "", "namespace": made.created.namespace, "data of this server alone": own}


def _without_values(one: Any, other: Any) -> tuple[Any, Any]:
    """Hide what is in a Secret; where two values differ, that can be seen."""
    if not (one and other and one["kind"] == "Secret"):
        return one and _hidden(one, {}, ""), other and _hidden(other, {}, "")
    return (
        _hidden(one, other.get("stringData") or {}, "(its value before)"),
        _hidden(other, one.get("stringData") or {}, "(its value after)"),
    )


def _hidden(manifest: Manifest, counterpart: Mapping[str, str], other: str) -> Manifest:
    if manifest["kind"] != "Secret":
        return manifest
    said = manifest.get("stringData") or {}
    texts = {n: other if counterpart.get(n, v) != v else "(a value)" for n, v in said.items()}
    return {**manifest, "stringData": texts}


def _lines(manifest: Manifest | None) -> list[str]:
    if manifest is None:
        return []
    text: str = yaml.safe_dump(manifest, allow_unicode=True)
    return text.splitlines(keepends=True)
