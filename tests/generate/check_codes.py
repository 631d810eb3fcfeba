"""Writes docs/reference/check-codes.md from the table of codes.

python -m tests.generate.check_codes
"""

from __future__ import annotations

from pathlib import Path

from mcks.core.checking.codes import CODES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "check-codes.md"
_INTRODUCTION = """# Codes of a check

Each finding of `mcks check` has a code that stays the same, whatever its words are. An **error**
cannot work. A **warning** may work, and was probably meant otherwise; with `--strict` it fails the
check, too. A **note** is no mistake.

`MCKS0xx` are about the file and the hub's own settings, `MCKS1xx` about clusters, profiles and the
objects of servers, `MCKS2xx` are what Kubernetes' schemas say, and `MCKS3xx` what clusters say.
"""


def page() -> str:
    """Return the page's text."""
    parts = [_INTRODUCTION]
    for name, code in CODES.items():
        parts.append(f"## {name}: {code.title}\n\n**{code.severity.capitalize()}.** {code.cause}\n")
        parts.append(f"*What to do:* {code.remedy}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
