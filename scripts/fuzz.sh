#!/usr/bin/env bash
# fuzz.sh [SECONDS [NAME...]]: builds the fuzz targets (preset fuzz, clang-14) and runs each for SECONDS (default 30),
# from the cases in tests/fuzz/corpus/<stem> if there are any. New cases go to build/fuzz/corpus. Needs clang-14,
# libclang-rt-14-dev and libfuzzer-14-dev.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-30}
[[ $# -eq 0 ]] || shift

cmake --preset fuzz --log-level=WARNING
if [[ $# -eq 0 ]]; then
  for source in tests/fuzz/fuzz_*.cpp; do
    set -- "$@" "$(basename "$source" .cpp)"
  done
fi
cmake --build --preset fuzz --parallel "$(nproc)" --target "$@"
for name in "$@"; do
  found=build/fuzz/corpus/$name
  mkdir -p "$found"
  folders=("$found")
  [[ ! -d tests/fuzz/corpus/${name#fuzz_} ]] || folders+=("tests/fuzz/corpus/${name#fuzz_}")
  echo "$name: $seconds s"
  "build/fuzz/bin/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
    -artifact_prefix="$found-crash-" "${folders[@]}"
done
