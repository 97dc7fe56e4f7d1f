# matches.zsh DIRECTORY LINE...: what zsh completes each LINE with, its matches in one line; DIRECTORY holds the completions.
# An interactive zsh in a terminal of its own completes the lines; in it, compadd writes its matches into a file.
emulate -L zsh
zmodload zsh/zpty
directory=$1
shift
box=$(mktemp -d)
trap 'rm -rf $box' EXIT

cat >$box/setup <<'EOT'
PROMPT='' LISTMAX=1000 fpath=($directory $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
  local -a hits
  # These only sort out matches for another call.
  if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
    builtin compadd -A hits "$@"
    (( $#hits )) && print -rl -- $hits >>$box/matches
  fi
  builtin compadd "$@"
}
finished() { : >$box/end; }
bindkey '^I' complete-word
EOT
zpty shell zsh -f -i
zpty -w shell "box=${(q)box} directory=${(q)directory}; source \$box/setup"
for line; do
  rm -f $box/end
  : >$box/matches
  # Every time anew: zsh empties it. ^U takes away what is left of the line before.
  zpty -w shell $'\C-u'"comppostfuncs=(finished)"
  zpty -w -n shell "$line"$'\t'
  for (( i = 0; i < 600; i++ )); do
    [[ ! -e $box/end ]] || break
    zpty -rt shell >/dev/null
    sleep 0.05
  done
  if [[ ! -e $box/end ]]; then
    print -ru2 -- "zsh didn't complete within 30 s: $line"
    exit 1
  fi
  print -r -- "${(j: :)${(fou)"$(<$box/matches)"}}"
done
