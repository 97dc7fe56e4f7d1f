#!/bin/sh
# `npm run bench -- WHAT`: installs what is missing (for WHAT, too), builds, then measures. Without WHAT it lists what there is.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh "${1:-}"
exec node_modules/.bin/tsx bench/main.ts "$@"
