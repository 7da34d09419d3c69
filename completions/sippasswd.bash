# bash completion of sippasswd, generated from its definition by: node build.js --completions

_sippasswd() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path=sippasswd count=0 i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$path $word" in
      'sippasswd -e' | 'sippasswd --expire' | 'sippasswd --realm' | 'sippasswd --did' | 'sippasswd --format' | 'sippasswd --import') i=$((i + 1)) ;;
      *' '-*) ;;
      *) count=$((count + 1)) ;;
    esac
  done
  case "$path $prev" in
    'sippasswd -e' | 'sippasswd --expire' | 'sippasswd --realm' | 'sippasswd --did') return ;;
    'sippasswd --format') mapfile -t COMPREPLY < <(compgen -W 'ha1 sha1 plain' -- "$cur"); return ;;
    'sippasswd --import') compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
  esac
  if [[ $cur == -* ]]; then
    case $path in
      'sippasswd') mapfile -t COMPREPLY < <(compgen -W '-l --lock -u --unlock -d --delete -e --expire -S --status -a --all --stdin --generate --verify --realm --did --format --batch --import --json --version -h --help' -- "$cur") ;;
    esac
    return
  fi
  case "$path $count" in
    'sippasswd 0') mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
  esac
}

complete -F _sippasswd sippasswd
