#!/usr/bin/env bash
# Runs the tests of the ground modules under the address and undefined sanitizers, and those of the threads under the
# thread sanitizer; `cmake --workflow --preset dev` runs every module so. The real models are left out here: they make
# the sanitizers' runs long, and the release tests read them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ONGGI_HOME=$(mktemp -d)
export ONGGI_HOME
trap 'rmdir "$ONGGI_HOME"' EXIT

# run PRESET MODULE...
run() {
  local preset=$1 module
  shift
  local launcher=ccache
  command -v ccache > /dev/null || launcher=
  cmake --preset "$preset" -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" --log-level=WARNING < /dev/null
  cmake --build --preset "$preset" --parallel "$(nproc)" --target "${@/%/_test}" < /dev/null
  for module in "$@"; do
    echo "$preset: ${module}_test"
    "build/$preset/${module}_test" --gtest_brief=1 < /dev/null
  done
}

run dev onggi_core onggi_quant onggi_kernels onggi_http
run tsan onggi_core onggi_http
