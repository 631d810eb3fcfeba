"""``cmd`` as KubeSpawner means it, arguments of the image's own ENTRYPOINT, as a patch. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mcks.core.writing.marks import Marks
from mcks.core.writing.yaml_text import Commented, commented

_PATCH = """\
kind: Pod
metadata:
  name: "{{key}}"
spec:
  containers:
    - name: notebook
      args: %s
"""


def patch(cmd: Sequence[str] | str | None, marks: Marks, *, with_args: bool) -> Commented | None:
    """Return the patch that lets the image's ENTRYPOINT run with *cmd*.

    Without a *cmd* KubeSpawner ignores ``args``, too: *with_args* says whether there are any; None
    if nothing is to be done.
    """
    if not cmd:
        return commented(_PATCH % "null", ("cmd",)) if with_args else None
    items = [cmd] if isinstance(cmd, str) else [str(item) for item in cmd]
    said = ", ".join(map(marks.expression, items))
    return commented(_PATCH % f"{{{{ ([{said}] + args) | toyaml }}}}", ("cmd",))
