#!/usr/bin/env bash
# The demo's steps: demo.sh BINARY [options of `onggi demo`]. Called by ./onggi-up demo, which builds and brings the base.
set -euo pipefail
binary=$1
shift
exec "$binary" demo "$@"
