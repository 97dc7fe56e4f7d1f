# What the hooks share. A hook sets `here` (the directory of the hooks), `hook` (its name) and `usage`, and sources this:
# it takes -r and -c off the arguments (a sourced file shares them) and sets `run` and `config`. While all is well nothing
# here starts a process: the managers call the hooks often, and at the worst of times.

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

# read_stat PID: sets `pid`, `state`, `parent` and `start` (clock ticks since the boot), fields 1, 3, 4 and 22 of
# /proc/PID/stat. The second field, the name, may hold blanks and parentheses; what follows it holds none.
read_stat() {
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  pid=${stat%% *}
  # shellcheck disable=SC2086 # to be split into fields
  set -- ${stat##*') '}
  [ $# -ge 20 ] || return 1
  state=$1 parent=$2 start=${20}
  is_number "$parent" && is_number "$start"
}

# Whether the agent is being started (hooks/start-agent): it reads itself what was said meanwhile. For five minutes at most;
# one that isn't up by then won't be.
is_starting() {
  { read -r starting_pid starting_since <"$run/starting"; } 2>/dev/null &&
    is_number "$starting_pid" && read_stat "$starting_pid" &&
    [ "$start" = "$starting_since" ] && [ "$state" != Z ] && [ "$state" != X ] &&
    read_uptime && [ $((uptime - start)) -le 30000 ]
}

# Starts the agent for one round, unless `conntrack-ha stop` was given or the agent itself is being started. In a session of
# its own: managers kill the process groups of hooks.
start_once() {
  [ -e "$run/stopped" ] || is_starting || setsid -f "$here/run-once" "$run" "$config" </dev/null >/dev/null 2>&1
}

# Nobody is left to decide for this node: it gives up at once what it owns, as by a power cut, since its peers take that over and
# would translate new connections in their own way. nftables takes the buckets out in one transaction; with xtables, or where
# that fails, the agent is started for one round, and there are two owners until it is ready.
give_up() {
  nft 'flush set netdev conntrack_ha owned; flush set inet conntrack_ha owned' >/dev/null 2>&1 || start_once
}

# kick [WHAT]: starts the agent for one round, if that wasn't done within 10 s, nor since the agent was last well, nor ever with this WHAT.
# once.kicked holds when it was last, and WHAT.
kick() {
  [ ! -e "$run/stopped" ] && ! is_starting && read_uptime && is_due "${1-}" || return 0
  [ -d "$run" ] || mkdir -p -- "$run"
  { printf '%s\n' "$uptime ${1-}" >"$run/once.kicked"; } 2>/dev/null
  start_once
}

is_due() {
  { read -r kicked known <"$run/once.kicked"; } 2>/dev/null && is_number "$kicked" || return 0
  # A time that is yet to come is of before the boot.
  [ "$kicked" -gt "$uptime" ] || [ $((uptime - kicked)) -ge 1000 ] || [ "$kicked" -lt "$beat" ] ||
    [ "${known% }" != "${1% }" ]
}

# Whether it is the name of a group. It becomes the name of a file.
is_group() {
  case $1 in
    *[!A-Za-z0-9_-]* | _* | *_ | *_*_*) return 1 ;;
    *_*) [ ${#1} -le 127 ] ;;
    *) return 1 ;;
  esac
}

# leave_word GROUP WORD: leaves what the manager has said, and starts the agent if none takes it. If it fails, `why` says
# why. The file has the start and the number of the process that leaves it: a second word takes a subshell, or it would be
# as old as the first.
leave_word() {
  if ! read_stat self; then
    why="/proc/self/stat: can't be read; $2 of $1 is lost; mount /proc"
    return 1
  fi
  name=$1.$start.$pid
  # Who says it: the manager. A parent younger than this process has only inherited the number.
  manager='0 0'
  if read_stat $$ && started=$start && [ "$parent" = "$PPID" ] && [ "$parent" -gt 1 ] &&
    read_stat "$PPID" && [ "$start" -le "$started" ]; then
    manager="$PPID $start"
  fi
  if ! write_word "$2" && ! { mkdir -p -- "$run/words" && write_word "$2"; } 2>/dev/null; then
    why="$run/words: can't be written; $2 of $1 is lost; look at the file system"
    return 1
  fi
  is_agent_well || start_once
  return 0
}

# One write into a name that nobody else uses: the file is empty or whole, whenever this is killed.
write_word() {
  { printf '%s\n' "$1 $manager" >"$run/words/$name"; } 2>/dev/null
}

is_agent_well() {
  is_fresh 300 && is_agent_running
}

# Whether the agent runs, by the process's start as well: its number may be another's by now.
is_agent_running() {
  { read -r agent_pid agent_start <"$run/agent"; } 2>/dev/null &&
    is_number "$agent_pid" && read_stat "$agent_pid" &&
    [ "$start" = "$agent_start" ] && [ "$state" != Z ] && [ "$state" != X ]
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
