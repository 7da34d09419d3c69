# bash completion of sipacct, generated from its definition by: node build.js --completions

_sipacct() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path=sipacct count=0 i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$path $word" in
      'sipacct report' | 'sipacct list' | 'sipacct missed' | 'sipacct export' | 'sipacct follow' | 'sipacct verify') path+=" $word" count=0 ;;
      'sipacct report --since' | 'sipacct report --until' | 'sipacct report --user' | 'sipacct report --by' | 'sipacct report --format' | 'sipacct list --since' | 'sipacct list --until' | 'sipacct list --user' | 'sipacct list -n' | 'sipacct list --lines' | 'sipacct missed --since' | 'sipacct missed --until' | 'sipacct missed --user' | 'sipacct missed -n' | 'sipacct missed --lines' | 'sipacct export --since' | 'sipacct export --until' | 'sipacct export --user' | 'sipacct export --format' | 'sipacct follow --user' | 'sipacct follow -n' | 'sipacct follow --lines' | 'sipacct verify --since' | 'sipacct verify --until' | 'sipacct verify --user') i=$((i + 1)) ;;
      *' '-*) ;;
      *) count=$((count + 1)) ;;
    esac
  done
  case "$path $prev" in
    'sipacct report --since' | 'sipacct report --until' | 'sipacct list --since' | 'sipacct list --until' | 'sipacct missed --since' | 'sipacct missed --until' | 'sipacct export --since' | 'sipacct export --until' | 'sipacct verify --since' | 'sipacct verify --until') mapfile -t COMPREPLY < <(compgen -W 'today yesterday now -7d -30d' -- "$cur"); return ;;
    'sipacct report --user' | 'sipacct list --user' | 'sipacct missed --user' | 'sipacct export --user' | 'sipacct follow --user' | 'sipacct verify --user') mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
    'sipacct report --by') mapfile -t COMPREPLY < <(compgen -W 'month day year hour weekday user peer direction' -- "$cur"); return ;;
    'sipacct report --format') mapfile -t COMPREPLY < <(compgen -W 'text csv json jsonl html svg' -- "$cur"); return ;;
    'sipacct report --month' | 'sipacct list --month' | 'sipacct missed --month' | 'sipacct export --month' | 'sipacct verify --month') if [[ $cur != -* ]]; then mapfile -t COMPREPLY < <(compgen -W "$(for i in {0..11}; do date -d "$(date +%Y-%m-15) -$i month" +%Y-%m; done)" -- "$cur"); return; fi ;;
    'sipacct report --day' | 'sipacct list --day' | 'sipacct missed --day' | 'sipacct export --day' | 'sipacct verify --day') if [[ $cur != -* ]]; then mapfile -t COMPREPLY < <(compgen -W 'today yesterday' -- "$cur"); return; fi ;;
    'sipacct list -n' | 'sipacct list --lines' | 'sipacct missed -n' | 'sipacct missed --lines' | 'sipacct follow -n' | 'sipacct follow --lines') return ;;
    'sipacct export --format') mapfile -t COMPREPLY < <(compgen -W 'csv json jsonl' -- "$cur"); return ;;
  esac
  if [[ $cur == -* ]]; then
    case $path in
      'sipacct') mapfile -t COMPREPLY < <(compgen -W '--version -h --help' -- "$cur") ;;
      'sipacct report') mapfile -t COMPREPLY < <(compgen -W '--year --month --day --since --until --user --all --by --format --json -h --help' -- "$cur") ;;
      'sipacct list' | 'sipacct missed') mapfile -t COMPREPLY < <(compgen -W '--year --month --day --since --until --user --all -n --lines --json -h --help' -- "$cur") ;;
      'sipacct export') mapfile -t COMPREPLY < <(compgen -W '--year --month --day --since --until --user --all --format --json -h --help' -- "$cur") ;;
      'sipacct follow') mapfile -t COMPREPLY < <(compgen -W '--user --all -n --lines --json -h --help' -- "$cur") ;;
      'sipacct verify') mapfile -t COMPREPLY < <(compgen -W '--year --month --day --since --until --user --json -h --help' -- "$cur") ;;
    esac
    return
  fi
  case "$path $count" in
    'sipacct 0') mapfile -t COMPREPLY < <(compgen -W 'report list missed export follow verify' -- "$cur") ;;
  esac
}

complete -F _sipacct sipacct
