# Completion of conntrack-ha for bash 4.4 and later: commands, options, nodes and groups.

_conntrack_ha() {
  local typed=${2-} word option='' config=''
  local -a arguments=() options=() names=() candidates=()
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    # To bash, --node=fw1 is three words.
    [[ $word != = ]] || continue
    if [[ -n $option ]]; then
      case $option in
        -c | --config) config=$word ;;
      esac
      option=''
      continue
    fi
    case $word in
      -c | --config | --node | --form | -n | --number) option=$word ;;
      -*) ;;
      *) arguments+=("$word") ;;
    esac
  done
  [[ $typed != = ]] || typed=''

  options=(-c --config --node -h --help)
  case ${arguments[0]-} in
    '') options+=(-V --version) ;;
    start) options+=(--closed) ;;
    stop) options+=(--force) ;;
    run) options+=(--once) ;;
    takeover | release | drain | resume) options+=(--force --json) ;;
    status) options+=(--json --watch) ;;
    events) options+=(-n --number --json) ;;
    where) options+=(--json) ;;
    render) options+=(--form --fragment) ;;
  esac
  case $option:${#arguments[@]}:${arguments[0]-}:$typed in
    -c:* | --config:*)
      compopt -o default 2>/dev/null
      return 0
      ;;
    --node:*)
      mapfile -t names < <(_conntrack_ha_names "$config")
      # An underscore is only in groups.
      for word in "${names[@]}"; do
        [[ $word == *_* ]] || candidates+=("$word")
      done
      ;;
    --form:*) candidates=(crmsh pcs cib) ;;
    -n:* | --number:*) ;;
    :*:-*) candidates=("${options[@]}") ;;
    :0:* | :1:help:*)
      candidates=(start stop run takeover release drain resume status events where report render help)
      ;;
    :1:takeover:* | :1:release:*) mapfile -t candidates < <(_conntrack_ha_names "$config") ;;
    :1:render:*) candidates=(keepalived pacemaker conntrackd nftables xtables) ;;
    :1:where:*) ;;
    # Nothing else can follow.
    *) candidates=("${options[@]}") ;;
  esac
  for word in "${candidates[@]}"; do
    [[ $word != "$typed"* ]] || COMPREPLY+=("$word")
  done
}

# The nodes, then the groups, of the configuration in file $1 as it is typed; nothing if it has mistakes.
_conntrack_ha_names() {
  local program config
  program=$(_conntrack_ha_unquoted "${COMP_WORDS[0]}")
  config=$(_conntrack_ha_unquoted "$1")
  # After sudo, the caller's PATH may be without these.
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin "$program" ${config:+-c "$config"} names 2>/dev/null
}

# Takes quotes away, and puts the home directory in; expands nothing else.
_conntrack_ha_unquoted() {
  local text=${1//[\"\'\\]/}
  [[ $1 != \~/* ]] || text=${HOME-}${text:1}
  printf '%s\n' "$text"
}

complete -F _conntrack_ha conntrack-ha
