"""Python's collector of garbage, while much is made that stays, or goes again, as a whole.

What is made meanwhile does not belong here.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Let it look at nothing in a block that does not wait.

    It looks at all that there is when a quarter of that is new. So a block that makes many objects
    has it look, which holds up a large hub for a third of a second, and it finds nothing: they are
    all in use.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
