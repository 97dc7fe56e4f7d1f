#!/bin/sh
# `npm run campaign`: installs what is missing, builds, and has one thing after another happen to real firewalls.
set -eu
cd "$(dirname "$0")/../.."
if [ "$(id -u)" != 0 ]; then
  echo "campaign: it makes network namespaces and needs root: sudo npm run campaign" >&2
  exit 1
fi
sh scripts/setup.sh
exec node_modules/.bin/tsx test/lab/campaign/main.ts "$@"
