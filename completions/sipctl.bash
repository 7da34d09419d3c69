# bash completion of sipctl, generated from its definition by: node build.js --completions

_sipctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path=sipctl count=0 i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$path $word" in
      'sipctl setup' | 'sipctl serve' | 'sipctl ul' | 'sipctl user' | 'sipctl config' | 'sipctl ha1' | 'sipctl check' | 'sipctl last' | 'sipctl status' | 'sipctl stats' | 'sipctl ping' | 'sipctl calls' | 'sipctl drop' | 'sipctl trace' | 'sipctl monitor' | 'sipctl ban' | 'sipctl reload' | 'sipctl stop' | 'sipctl log' | 'sipctl db' | 'sipctl ul show' | 'sipctl ul add' | 'sipctl ul rm' | 'sipctl ul dump' | 'sipctl user list' | 'sipctl user show' | 'sipctl config show' | 'sipctl config get' | 'sipctl config set' | 'sipctl config unset' | 'sipctl config edit' | 'sipctl config check' | 'sipctl ban list' | 'sipctl ban rm' | 'sipctl db serve') path+=" $word" count=0 ;;
      'sipctl setup -f' | 'sipctl setup --realm' | 'sipctl setup --listen' | 'sipctl setup --group' | 'sipctl setup --user' | 'sipctl serve -f' | 'sipctl serve -o' | 'sipctl config show --user' | 'sipctl config get --user' | 'sipctl config set --user' | 'sipctl config unset --user' | 'sipctl config edit --user' | 'sipctl config check --user' | 'sipctl ha1 --realm' | 'sipctl last -n' | 'sipctl last --since' | 'sipctl status --socket' | 'sipctl stats --socket' | 'sipctl ping --socket' | 'sipctl calls --socket' | 'sipctl drop --socket' | 'sipctl trace --pcap' | 'sipctl trace -c' | 'sipctl trace --socket' | 'sipctl monitor -c' | 'sipctl monitor --socket' | 'sipctl ban list --socket' | 'sipctl ban rm --socket' | 'sipctl reload --socket' | 'sipctl stop --socket' | 'sipctl log --socket' | 'sipctl db serve --listen' | 'sipctl db serve -f' | 'sipctl db serve -o') i=$((i + 1)) ;;
      *' '-*) ;;
      *) count=$((count + 1)) ;;
    esac
  done
  case "$path $prev" in
    'sipctl setup -f' | 'sipctl serve -f' | 'sipctl status --socket' | 'sipctl stats --socket' | 'sipctl ping --socket' | 'sipctl calls --socket' | 'sipctl drop --socket' | 'sipctl trace --pcap' | 'sipctl trace --socket' | 'sipctl monitor --socket' | 'sipctl ban list --socket' | 'sipctl ban rm --socket' | 'sipctl reload --socket' | 'sipctl stop --socket' | 'sipctl log --socket' | 'sipctl db serve -f') compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    'sipctl setup --realm' | 'sipctl setup --listen' | 'sipctl setup --group' | 'sipctl serve -o' | 'sipctl ha1 --realm' | 'sipctl last -n' | 'sipctl last --since' | 'sipctl trace -c' | 'sipctl monitor -c' | 'sipctl db serve --listen' | 'sipctl db serve -o') return ;;
    'sipctl setup --user' | 'sipctl config show --user' | 'sipctl config get --user' | 'sipctl config set --user' | 'sipctl config unset --user' | 'sipctl config edit --user' | 'sipctl config check --user') mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
  esac
  if [[ $cur == -* ]]; then
    case $path in
      'sipctl') mapfile -t COMPREPLY < <(compgen -W '--version -h --help' -- "$cur") ;;
      'sipctl setup') mapfile -t COMPREPLY < <(compgen -W '-f --realm --listen --group --user --yes -h --help' -- "$cur") ;;
      'sipctl serve') mapfile -t COMPREPLY < <(compgen -W '-f -o -t -T --own --json -h --help' -- "$cur") ;;
      'sipctl ul' | 'sipctl user' | 'sipctl config' | 'sipctl ban' | 'sipctl db') mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur") ;;
      'sipctl ul show' | 'sipctl ul add' | 'sipctl ul rm' | 'sipctl ul dump' | 'sipctl user list' | 'sipctl user show') mapfile -t COMPREPLY < <(compgen -W '--json -h --help' -- "$cur") ;;
      'sipctl config show' | 'sipctl config get' | 'sipctl config set' | 'sipctl config unset') mapfile -t COMPREPLY < <(compgen -W '--user --json -h --help' -- "$cur") ;;
      'sipctl config edit') mapfile -t COMPREPLY < <(compgen -W '--user -h --help' -- "$cur") ;;
      'sipctl config check') mapfile -t COMPREPLY < <(compgen -W '--user --server --json -h --help' -- "$cur") ;;
      'sipctl ha1') mapfile -t COMPREPLY < <(compgen -W '--realm --json -h --help' -- "$cur") ;;
      'sipctl check') mapfile -t COMPREPLY < <(compgen -W '--call --json -h --help' -- "$cur") ;;
      'sipctl last') mapfile -t COMPREPLY < <(compgen -W '-n --since --json -h --help' -- "$cur") ;;
      'sipctl status' | 'sipctl ping' | 'sipctl calls' | 'sipctl drop' | 'sipctl ban list' | 'sipctl ban rm') mapfile -t COMPREPLY < <(compgen -W '--socket --json -h --help' -- "$cur") ;;
      'sipctl stats') mapfile -t COMPREPLY < <(compgen -W '--socket --json --prometheus -h --help' -- "$cur") ;;
      'sipctl trace') mapfile -t COMPREPLY < <(compgen -W '--pcap -c --socket --json -h --help' -- "$cur") ;;
      'sipctl monitor') mapfile -t COMPREPLY < <(compgen -W '-c --socket --json -h --help' -- "$cur") ;;
      'sipctl reload' | 'sipctl stop' | 'sipctl log') mapfile -t COMPREPLY < <(compgen -W '--socket -h --help' -- "$cur") ;;
      'sipctl db serve') mapfile -t COMPREPLY < <(compgen -W '--listen -f -o -h --help' -- "$cur") ;;
    esac
    return
  fi
  case "$path $count" in
    'sipctl 0') mapfile -t COMPREPLY < <(compgen -W 'setup serve ul user config ha1 check last status stats ping calls drop trace monitor ban reload stop log db' -- "$cur") ;;
    'sipctl ul 0') mapfile -t COMPREPLY < <(compgen -W 'show add rm dump' -- "$cur") ;;
    'sipctl ul show 0' | 'sipctl ul add 0' | 'sipctl ul rm 0' | 'sipctl ul dump 0' | 'sipctl user show 0' | 'sipctl ha1 0' | 'sipctl check 0' | 'sipctl last 0' | 'sipctl ping 0' | 'sipctl calls 0' | 'sipctl drop 0' | 'sipctl trace 0') mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
    'sipctl user 0') mapfile -t COMPREPLY < <(compgen -W 'list show' -- "$cur") ;;
    'sipctl config 0') mapfile -t COMPREPLY < <(compgen -W 'show get set unset edit check' -- "$cur") ;;
    'sipctl config check 0') compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    'sipctl ban 0') mapfile -t COMPREPLY < <(compgen -W 'list rm' -- "$cur") ;;
    'sipctl db 0') mapfile -t COMPREPLY < <(compgen -W 'serve' -- "$cur") ;;
  esac
}

complete -F _sipctl sipctl
