#compdef sipacct
# Generated from its definition by: node build.js --completions

_sipacct_verify() {
  _arguments -s \
    '--year[those of a year; of this one without a value]::YYYY: ' \
    '--month[those of a month; of this one without a value]::YYYY-MM:{compadd -- $(for i in {0..11}; do date -d "$(date +%Y-%m-15) -$i month" +%Y-%m; done)}' \
    '--day[those of a day; of today without a value]::YYYY-MM-DD:{compadd -- today yesterday}' \
    '--since[those that began then or later: yesterday, -7d, 2026-11-22]:TIME:{compadd -- today yesterday now -7d -30d}' \
    '--until[those that began before; a day, month or year that is named is counted in]:TIME:{compadd -- today yesterday now -7d -30d}' \
    '--user[the copies of that account only]:USER:_users' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipacct_follow() {
  _arguments -s \
    '--user[the calls of that account; left out: one'\''s own, and all for root]:USER:_users' \
    '--all[the calls of all accounts, from the log of the host]' \
    '(-n --lines)'{-n,--lines}'[begin with the last so many; 10 unless told]:COUNT: ' \
    '--json[print JSON, an object a line]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipacct_export() {
  _arguments -s \
    '--year[those of a year; of this one without a value]::YYYY: ' \
    '--month[those of a month; of this one without a value]::YYYY-MM:{compadd -- $(for i in {0..11}; do date -d "$(date +%Y-%m-15) -$i month" +%Y-%m; done)}' \
    '--day[those of a day; of today without a value]::YYYY-MM-DD:{compadd -- today yesterday}' \
    '--since[those that began then or later: yesterday, -7d, 2026-11-22]:TIME:{compadd -- today yesterday now -7d -30d}' \
    '--until[those that began before; a day, month or year that is named is counted in]:TIME:{compadd -- today yesterday now -7d -30d}' \
    '--user[the calls of that account; left out: one'\''s own, and all for root]:USER:_users' \
    '--all[the calls of all accounts, from the log of the host]' \
    '--format[csv unless told]:FORMAT:(csv json jsonl)' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipacct_missed() {
  _arguments -s \
    '--year[those of a year; of this one without a value]::YYYY: ' \
    '--month[those of a month; of this one without a value]::YYYY-MM:{compadd -- $(for i in {0..11}; do date -d "$(date +%Y-%m-15) -$i month" +%Y-%m; done)}' \
    '--day[those of a day; of today without a value]::YYYY-MM-DD:{compadd -- today yesterday}' \
    '--since[those that began then or later: yesterday, -7d, 2026-11-22]:TIME:{compadd -- today yesterday now -7d -30d}' \
    '--until[those that began before; a day, month or year that is named is counted in]:TIME:{compadd -- today yesterday now -7d -30d}' \
    '--user[the calls of that account; left out: one'\''s own, and all for root]:USER:_users' \
    '--all[the calls of all accounts, from the log of the host]' \
    '(-n --lines)'{-n,--lines}'[the last so many]:COUNT: ' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipacct_list() {
  _arguments -s \
    '--year[those of a year; of this one without a value]::YYYY: ' \
    '--month[those of a month; of this one without a value]::YYYY-MM:{compadd -- $(for i in {0..11}; do date -d "$(date +%Y-%m-15) -$i month" +%Y-%m; done)}' \
    '--day[those of a day; of today without a value]::YYYY-MM-DD:{compadd -- today yesterday}' \
    '--since[those that began then or later: yesterday, -7d, 2026-11-22]:TIME:{compadd -- today yesterday now -7d -30d}' \
    '--until[those that began before; a day, month or year that is named is counted in]:TIME:{compadd -- today yesterday now -7d -30d}' \
    '--user[the calls of that account; left out: one'\''s own, and all for root]:USER:_users' \
    '--all[the calls of all accounts, from the log of the host]' \
    '(-n --lines)'{-n,--lines}'[the last so many]:COUNT: ' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipacct_report() {
  _arguments -s \
    '--year[those of a year; of this one without a value]::YYYY: ' \
    '--month[those of a month; of this one without a value]::YYYY-MM:{compadd -- $(for i in {0..11}; do date -d "$(date +%Y-%m-15) -$i month" +%Y-%m; done)}' \
    '--day[those of a day; of today without a value]::YYYY-MM-DD:{compadd -- today yesterday}' \
    '--since[those that began then or later: yesterday, -7d, 2026-11-22]:TIME:{compadd -- today yesterday now -7d -30d}' \
    '--until[those that began before; a day, month or year that is named is counted in]:TIME:{compadd -- today yesterday now -7d -30d}' \
    '--user[the calls of that account; left out: one'\''s own, and all for root]:USER:_users' \
    '--all[the calls of all accounts, from the log of the host]' \
    '--by[what to add up by; left out: month, and a smaller unit for one month or day]:WHAT:(month day year hour weekday user peer direction)' \
    '--format[how to print it; a table unless told]:FORMAT:(text csv json jsonl html svg)' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipacct() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
    'report:Add up calls.'
    'list:List calls.'
    'missed:List calls that were missed.'
    'export:Print all that is known of calls, for other programs.'
    'follow:Show calls as they end, until interrupted.'
    'verify:Compare users'\'' copies of calls with the log of the host (root).'
  )
  _arguments -C \
    '--version[show the version]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '1: :->command' \
    '*:: :->words'
  case $state in
    command) _describe command commands ;;
    words)
      case $line[1] in
        report) _sipacct_report ;;
        list) _sipacct_list ;;
        missed) _sipacct_missed ;;
        export) _sipacct_export ;;
        follow) _sipacct_follow ;;
        verify) _sipacct_verify ;;
      esac
      ;;
  esac
}

_sipacct "$@"
