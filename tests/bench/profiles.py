"""The profiles of a long list, as the benchmarks of the form and of large hubs have them."""

from __future__ import annotations

from typing import Any


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
            "kubespawner_override": {"image": "{value}"},
        }
    }
    return {
        "display_name": f"Profile {number}",
        "description": "For work of the usual kind",
        "profile_options": options,
        "kubespawner_override": {"mem_limit": "1G"},
    }
