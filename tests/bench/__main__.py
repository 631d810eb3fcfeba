"""``make bench``: all measurements, each with its bar; fails if one is missed."""

from __future__ import annotations

import sys

from tests.bench import bench_form, bench_logins, bench_patch, bench_render, bench_spawn

mains = [bench_patch.main, bench_render.main, bench_form.main, bench_logins.main, bench_spawn.main]
results = [main() for main in mains]
sys.exit(not all(results))
