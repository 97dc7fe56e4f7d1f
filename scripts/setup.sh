#!/bin/sh
# setup.sh [PART...]: installs what the demo, the tests and the benchmarks (or those parts of them) need and isn't there yet: Debian packages
# (as root), Node packages; then builds.
set -eu
cd "$(dirname "$0")/.."

sh scripts/debian-packages.sh "$@"

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "setup: installing the Node packages of package-lock.json"
  npm ci --no-audit --no-fund --loglevel=error
fi

node_modules/.bin/tsx scripts/build.ts
