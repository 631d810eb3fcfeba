"""How long it takes to show the form of 200 profiles with 5 options. Run it with ``python -m``.

The bar is 20 ms of CPU time for the page, warm. Before it, the list is read, checked and cut to
what the user may choose, which is measured as well. Neither makes a network call.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.profiles.offer import permitted
from mcks.core.profiles.options_form import form
from mcks.core.profiles.profile_list import Profile
from mcks.core.profiles.selection import Selection, select
from mcks.core.spawner import MultiClusterKubeSpawner

BAR_MS = 20.0


def profile(number: int) -> dict[str, Any]:
    """Return a profile with five options: four of two choices, one with free text, too."""
    choices = {f"c{n}": {"display_name": f"Choice {n}"} for n in range(2)}
    options: dict[str, Any] = {
        f"option{n}": {"display_name": f"Option {n}", "choices": choices} for n in range(5)
    }
    options["option0"] = options["option0"] | {
        "unlisted_choice": {
            "enabled": True,
            "display_name": "Of your own",
            "validation_regex": "[a-z]+",
            "spawner_override": {"image": "{value}"},
        }
    }
    return {
        "display_name": f"Profile {number}",
        "description": "For work of the usual kind",
        "profile_options": options,
        "spawner_override": {"mem_limit": "1G"},
    }


def spawner() -> MultiClusterKubeSpawner:
    """Make the spawner of a user who has chosen before."""
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = [profile(number) for number in range(200)]
    made = sample_spawner(config, "ada", "profile-199")
    made.choosing.remember(made.user_options)
    return made


def measure(rounds: int = 50) -> dict[str, float]:
    """Return milliseconds of CPU time: of the first form, median and p90 of *rounds*.

    *list* is the median of reading, checking and cutting the list, which comes before.
    """
    made = spawner()
    profiles = asyncio.run(_permitted(made))
    chosen = select(profiles, made.user_options)
    first, *warm = [_one(profiles, chosen) for _ in range(rounds + 1)]
    lists = [_timed(lambda: asyncio.run(_permitted(made))) for _ in range(rounds)]
    return {
        "first": first,
        "median": statistics.median(warm),
        "p90": sorted(warm)[-rounds // 10],
        "list": statistics.median(lists),
    }


async def _permitted(made: MultiClusterKubeSpawner) -> list[Profile]:
    async def yes(_: object) -> bool:
        return True

    return await permitted(await made.choosing.listed(), made, yes)


def _one(profiles: list[Profile], chosen: Selection) -> float:
    pages: list[str] = []
    took = _timed(lambda: pages.append(form("", profiles, chosen=chosen)))
    assert pages[0].count(" checked") == 1
    return took


def _timed(work: Callable[[], object]) -> float:
    before = time.process_time_ns()
    work()
    return (time.process_time_ns() - before) / 1e6


def main() -> bool:
    """Print the result as one line; return whether the bar is met."""
    result = measure()
    numbers = ", ".join(f"{name} {ms:.2f} ms" for name, ms in result.items())
    met = result["median"] < BAR_MS
    verdict = "met" if met else "MISSED"
    print(f"form, 200 profiles x 5 options: {numbers} (bar: median < {BAR_MS} ms, {verdict})")
    return met


if __name__ == "__main__":
    main()
