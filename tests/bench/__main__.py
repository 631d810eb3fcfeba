"""``make bench``: all measurements, each with its bar; fails if one is missed."""

from __future__ import annotations

import sys

from tests.bench import (
    bench_before,
    bench_candidates,
    bench_containers,
    bench_floor,
    bench_form,
    bench_logins,
    bench_patch,
    bench_render,
    bench_silent_cloud,
    bench_spawn,
)

BENCHES = [
    bench_before,
    bench_patch,
    bench_render,
    bench_form,
    bench_candidates,
    bench_logins,
    bench_silent_cloud,
    bench_spawn,
    bench_floor,
    bench_containers,
]
results = [bench.main() for bench in BENCHES]
sys.exit(not all(results))
