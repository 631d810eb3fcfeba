"""How long one API server is waited for, and how long it is left in peace between attempts.

What is sent, and what becomes of it, does not belong here.
"""

from __future__ import annotations

from typing import NamedTuple


class Pauses(NamedTuple):
    """Seconds between attempts: *first*, then twice as long each time, *longest* at most."""

    first: float
    longest: float

    def after(self, failures: int) -> float:
        """Give the pause after so many failures in a row.

        >>> [Pauses(0.2, 1.0).after(failures) for failures in (1, 2, 3, 4, 10_000)]
        [0.2, 0.4, 0.8, 1.0, 1.0]
        """
        return min(self.first * 2.0 ** min(failures - 1, 64), self.longest)


class Deadlines(NamedTuple):
    """Seconds.

    *connect*: TCP and TLS; *silence*: until a server that has not answered is asked whether it
    answers anything, and then for that answer; *total*: a call with all its retries, or until a
    watch is open; *watch*: the life of a watch, then *overdue*: how long a silent one is believed
    beyond it; *doubt*: how long it is believed while somebody waits for what it should tell. A
    watch that was open for *steady* did not fail at once.
    """

    connect: float = 5.0
    total: float = 20.0
    # An API server that has seen no event of a kind sends no bookmarks, so only the end of a watch
    # shows that the connection still lives. A new watch costs one small request.
    watch: float = 75.0
    overdue: float = 15.0
    doubt: float = 15.0
    steady: float = 5.0
    silence: float = 4.0
    between_attempts: Pauses = Pauses(0.2, 10.0)
    between_watches: Pauses = Pauses(0.2, 30.0)


DEFAULT_DEADLINES = Deadlines()
