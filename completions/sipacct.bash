# bash completion of sipacct, generated from its definition by: node build.js --completions

_sipacct() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path=sipacct count=0 i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$path $word" in
      'sipacct report' | 'sipacct list') path+=" $word" count=0 ;;
      'sipacct report --user' | 'sipacct list --user') i=$((i + 1)) ;;
      *' '-*) ;;
      *) count=$((count + 1)) ;;
    esac
  done
  case "$path $prev" in
    'sipacct report --user' | 'sipacct list --user') mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
  esac
  if [[ $cur == -* ]]; then
    case $path in
      'sipacct') mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur") ;;
      'sipacct report') mapfile -t COMPREPLY < <(compgen -W '--month --user --json -h --help' -- "$cur") ;;
      'sipacct list') mapfile -t COMPREPLY < <(compgen -W '--user --json -h --help' -- "$cur") ;;
    esac
    return
  fi
  case "$path $count" in
    'sipacct 0') mapfile -t COMPREPLY < <(compgen -W 'report list' -- "$cur") ;;
  esac
}

complete -F _sipacct sipacct
