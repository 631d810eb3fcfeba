"""Finds or installs Debian's Chromium, for browser tests; driving it is their part."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import debian, machine

_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
"""For a browser that runs as root and speaks to nobody but the test's own servers."""


def chromium_path() -> Path:
    """The browser, installed from Debian if need be and allowed. Raises CannotRunHere."""
    for _ in range(2):
        for name in _NAMES:
            if found := debian.program(name):
                return Path(found)
        if not debian.can_install():
            break
        debian.install(["chromium"])
    raise machine.CannotRunHere(
        f"A browser test needs one of {', '.join(_NAMES)}; install it, or run as root on Debian."
    )
