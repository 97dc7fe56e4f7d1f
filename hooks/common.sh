# What the hooks share. A hook sets `here` (the directory of the hooks), `hook` (its name) and `usage`, and sources this:
# it takes -r and -c off the arguments (a sourced file shares them) and sets `run` and `config`. While all is well nothing
# here starts a process: keepalived calls the hooks often, and at the worst of times.

set -f
LC_ALL=C
PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
# keepalived calls with 0177, and a directory made under that can't be entered.
umask 077

# Wrong use: one line to stderr and to the system's log; exit status 2.
refuse() {
  complain "$1; use: $hook [-r DIR] [-c FILE]${usage:+ $usage}"
  exit 2
}

# complain TEXT. What was passed to us may hold anything; the log gets one line of it.
complain() {
  text=$(printf '%.1000s' "$hook: $1" | tr -c '[:print:]' '?')
  # In the background: a system log that doesn't take it must not hold up keepalived.
  logger -t conntrack-ha -p daemon.err -- "$text" >/dev/null 2>&1 &
  printf '%s\n' "conntrack-ha: $text" >&2
}

# Whether it is a number that $(( )) takes for what it is: decimal, and short enough for 64 bits.
is_number() {
  case $1 in
    0) return 0 ;;
    '' | 0* | *[!0-9]* | ??????????????????*) return 1 ;;
  esac
}

# Sets `uptime`: hundredths of a second since the boot, as the agent counts them.
read_uptime() {
  { read -r uptime _ </proc/uptime; } 2>/dev/null || return 1
  uptime=${uptime%%.*}${uptime#*.}
  is_number "$uptime"
}

# is_fresh [HUNDREDTHS]: whether the agent had a good round within that time, 3 s by default. Sets `beat`, to 0 if there is
# none. The heartbeat is read first, so that it can't be newer than `uptime`.
is_fresh() {
  { read -r beat <"$run/heartbeat"; } 2>/dev/null && is_number "$beat" || beat=0
  read_uptime && [ "$beat" -gt 0 ] && [ "$beat" -le "$uptime" ] && [ $((uptime - beat)) -le "${1:-300}" ]
}

# read_stat PID: sets `state`, `parent` and `start` (clock ticks since the boot), fields 3, 4 and 22 of /proc/PID/stat.
# The second field, the name, may hold blanks and parentheses; what follows it holds none.
read_stat() {
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086 # to be split into fields
  set -- ${stat##*') '}
  [ $# -ge 20 ] || return 1
  state=$1 parent=$2 start=${20}
  is_number "$parent" && is_number "$start"
}

# Starts the agent for one round, unless `conntrack-ha stop` was given. In a session of its own: keepalived kills the
# process groups of hooks.
start_once() {
  [ -e "$run/stopped" ] || setsid -f "$here/run-once" "$run" "$config" </dev/null >/dev/null 2>&1
}

case $here in /*) ;; *) here=$PWD/$here ;; esac
run=/run/conntrack-ha config=
while :; do
  case ${1-} in
    -r | -c)
      # The program is started elsewhere, and keepalived's directory is nobody's choice.
      case ${2-} in /*) ;; *) refuse "$1 wants an absolute path" ;; esac
      if [ "$1" = -r ]; then run=$2; else config=$2; fi
      shift 2
      ;;
    -*) refuse "unknown option $1" ;;
    *) break ;;
  esac
done
