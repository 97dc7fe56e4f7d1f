#!/bin/sh
# `npm run demo`: installs what is missing, builds, and shows two firewalls fail and return under real flows.
set -eu
cd "$(dirname "$0")/../.."
if [ "$(id -u)" != 0 ]; then
  echo "demo: it makes network namespaces and needs root: sudo npm run demo" >&2
  exit 1
fi
sh scripts/setup.sh
exec node_modules/.bin/tsx test/lab/demo.ts "$@"
