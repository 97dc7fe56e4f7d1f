#!/bin/sh
# `npm test`: installs what is missing, then runs all tests. As root (sudo) with the lab; without, the unit tests only.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh "$@"
exec node_modules/.bin/tsx test/run.ts "$@"
