#compdef sipacct
# Generated from its definition by: node build.js --completions

_sipacct_list() {
  _arguments -s \
    '--user[the calls of that account; your own if left out]:USER:_users' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipacct_report() {
  _arguments -s \
    '--month[those of one month; this one without a value]::YYYY-MM: ' \
    '--user[the calls of that account; your own if left out]:USER:_users' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipacct() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
    'report:Add up calls by direction and status.'
    'list:List calls.'
  )
  _arguments -C \
    '(-h --help)'{-h,--help}'[show this help]' \
    '1: :->command' \
    '*:: :->words'
  case $state in
    command) _describe command commands ;;
    words)
      case $line[1] in
        report) _sipacct_report ;;
        list) _sipacct_list ;;
      esac
      ;;
  esac
}

_sipacct "$@"
