# Sets `program`, the one that hooks start; `here` is the directory of the hooks.
if [ -n "${CONNTRACK_HA-}" ]; then
  program=$CONNTRACK_HA
elif [ -x "$here/../bin/conntrack-ha" ]; then
  # Of a package, with the Node.js that it brings.
  program=$here/../bin/conntrack-ha
elif [ -x "$here/../dist/main.js" ]; then
  program=$here/../dist/main.js
else
  program=conntrack-ha
fi
