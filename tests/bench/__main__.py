"""``make bench``: all measurements, each with its bar; fails if one is missed."""

from __future__ import annotations

import sys

from tests.bench import bench_form, bench_patch, bench_render

sys.exit(not all([bench_patch.main(), bench_render.main(), bench_form.main()]))
