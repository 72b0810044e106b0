#!/usr/bin/env bash
# The demo's steps: demo.sh BINARY [options of `onggi demo`]. Called by ./onggi-up demo, which brings both.
set -euo pipefail
binary=$1
shift
exec "$binary" demo "$@"
