#compdef sipctl
# Generated from its definition by: node build.js --completions

_sipctl_db_serve() {
  _arguments -s \
    '--listen[unix:PATH or ADDRESS:PORT; default: unix:/run/sr/.s.PGSQL.5432]:PLACE: ' \
    '-f[read the configuration from FILE]:FILE:_files' \
    '*-o[override a keyword of the file]:KEYWORD=VALUE: ' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_db() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
    'serve:Speak the PostgreSQL protocol to Kamailio, psql and others.'
  )
  _arguments -C \
    '(-h --help)'{-h,--help}'[show this help]' \
    '1: :->command' \
    '*:: :->words'
  case $state in
    command) _describe command commands ;;
    words)
      case $line[1] in
        serve) _sipctl_db_serve ;;
      esac
      ;;
  esac
}

_sipctl_log() {
  _arguments -s \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '(-h --help)'{-h,--help}'[show this help]' \
    ':level: '
}

_sipctl_stop() {
  _arguments -s \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_reload() {
  _arguments -s \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_ban_rm() {
  _arguments -s \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    ':address: '
}

_sipctl_ban_list() {
  _arguments -s \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_ban() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
    'list:List the bans that hold.'
    'rm:End the bans of an address.'
  )
  _arguments -C \
    '(-h --help)'{-h,--help}'[show this help]' \
    '1: :->command' \
    '*:: :->words'
  case $state in
    command) _describe command commands ;;
    words)
      case $line[1] in
        list) _sipctl_ban_list ;;
        rm) _sipctl_ban_rm ;;
      esac
      ;;
  esac
}

_sipctl_monitor() {
  _arguments -s \
    '-c[end after so many looks]:COUNT: ' \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_trace() {
  _arguments -s \
    '--pcap[write them to FILE too, - is stdout]:FILE:_files' \
    '-c[end after so many messages]:COUNT: ' \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::about:_users'
}

_sipctl_drop() {
  _arguments -s \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    ':user:_users' \
    '::contact: '
}

_sipctl_calls() {
  _arguments -s \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::user:_users'
}

_sipctl_ping() {
  _arguments -s \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::user:_users' \
    '::contact: '
}

_sipctl_stats() {
  _arguments -s \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '--json[print JSON]' \
    '--prometheus[print them in Prometheus'\'' text format]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_status() {
  _arguments -s \
    '--socket[the control socket of the server that is meant]:PATH:_files' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_last() {
  _arguments -s \
    '-n[the last NUMBER sessions only]:NUMBER: ' \
    '--since[not what ended before: yesterday, -7d, 2026-11-22, 2026-11-22T10:15]:TIME: ' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::user:_users'
}

_sipctl_check() {
  _arguments -s \
    '--call[register two phones for a moment, and call one from the other]' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::user:_users'
}

_sipctl_ha1() {
  _arguments -s \
    '--realm[the realm instead of the default]:REALM: ' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::user:_users'
}

_sipctl_config_check() {
  _arguments -s \
    '--user[that account'\''s file instead of your own]:USER:_users' \
    '--server[check FILE as the server'\''s]' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::file:_files'
}

_sipctl_config_edit() {
  _arguments -s \
    '--user[that account'\''s file instead of your own]:USER:_users' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_config_unset() {
  _arguments -s \
    '--user[that account'\''s file instead of your own]:USER:_users' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    ':keyword: ' \
    '::name: '
}

_sipctl_config_set() {
  _arguments -s \
    '--user[that account'\''s file instead of your own]:USER:_users' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    ':keyword: ' \
    ':value: '
}

_sipctl_config_get() {
  _arguments -s \
    '--user[that account'\''s file instead of your own]:USER:_users' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    ':keyword: '
}

_sipctl_config_show() {
  _arguments -s \
    '--user[that account'\''s file instead of your own]:USER:_users' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_config() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
    'show:Show what is in effect.'
    'get:Show one keyword.'
    'set:Set a keyword in the global part.'
    'unset:Take a keyword out of the global part.'
    'edit:Edit the file, and check it.'
    'check:Check a configuration file.'
  )
  _arguments -C \
    '(-h --help)'{-h,--help}'[show this help]' \
    '1: :->command' \
    '*:: :->words'
  case $state in
    command) _describe command commands ;;
    words)
      case $line[1] in
        show) _sipctl_config_show ;;
        get) _sipctl_config_get ;;
        set) _sipctl_config_set ;;
        unset) _sipctl_config_unset ;;
        edit) _sipctl_config_edit ;;
        check) _sipctl_config_check ;;
      esac
      ;;
  esac
}

_sipctl_user_show() {
  _arguments -s \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::user:_users'
}

_sipctl_user_list() {
  _arguments -s \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_user() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
    'list:List them.'
    'show:Show one.'
  )
  _arguments -C \
    '(-h --help)'{-h,--help}'[show this help]' \
    '1: :->command' \
    '*:: :->words'
  case $state in
    command) _describe command commands ;;
    words)
      case $line[1] in
        list) _sipctl_user_list ;;
        show) _sipctl_user_show ;;
      esac
      ;;
  esac
}

_sipctl_ul_dump() {
  _arguments -s \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::user:_users'
}

_sipctl_ul_rm() {
  _arguments -s \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    ':user:_users' \
    '::contact: '
}

_sipctl_ul_add() {
  _arguments -s \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    ':user:_users' \
    ':contact: '
}

_sipctl_ul_show() {
  _arguments -s \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::user:_users'
}

_sipctl_ul() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
    'show:Show contacts.'
    'add:Add a contact that does not expire.'
    'rm:Take away one contact, or all of them.'
    'dump:Print contacts as they are stored.'
  )
  _arguments -C \
    '(-h --help)'{-h,--help}'[show this help]' \
    '1: :->command' \
    '*:: :->words'
  case $state in
    command) _describe command commands ;;
    words)
      case $line[1] in
        show) _sipctl_ul_show ;;
        add) _sipctl_ul_add ;;
        rm) _sipctl_ul_rm ;;
        dump) _sipctl_ul_dump ;;
      esac
      ;;
  esac
}

_sipctl_serve() {
  _arguments -s \
    '-f[read the configuration from FILE]:FILE:_files' \
    '*-o[override a keyword of the file]:KEYWORD=VALUE: ' \
    '-t[check the configuration and exit]' \
    '-T[print what is in effect and exit]' \
    '--own[serve the invoking account alone]' \
    '--json[print JSON]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl_setup() {
  _arguments -s \
    '-f[write FILE instead of /etc/sr/config]:FILE:_files' \
    '--realm[the realm of challenges and passwords]:REALM: ' \
    '*--listen[a socket to serve on, as Listen has it in sr_config(5)]:ADDRESS: ' \
    '--group[the group whose members are served]:GROUP: ' \
    '*--user[a member to be of the group]:USER:_users' \
    '--yes[ask nothing: what is not given stays as it is]' \
    '(-h --help)'{-h,--help}'[show this help]'
}

_sipctl() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
    'setup:Set a host up: its configuration, its group, its first users.'
    'serve:Run the SIP server.'
    'ul:Show and change registered contacts.'
    'user:Show the accounts that the server serves.'
    'config:Show and change a user'\''s settings.'
    'ha1:Print the hashes of a password, read without echo or from standard input.'
    'check:Find out why an account cannot register.'
    'last:Show when phones were registered. The host'\''s journal is root'\''s: others see their own sessions in wtmp.'
    'status:Show what runs, and where it listens.'
    'stats:Show the server'\''s counters and rates.'
    'ping:Measure the round trip to the server, or to contacts.'
    'calls:Show the calls that are going on.'
    'drop:Take contacts away through the server.'
    'trace:Show SIP messages as they pass, their credentials masked.'
    'monitor:Watch counters and rates, once a second.'
    'ban:Show and end bans of addresses that tried too many passwords.'
    'reload:Have the configuration read again.'
    'stop:Stop the server.'
    'log:Change what is logged until the next reload.'
    'db:Offer the accounts of this host as a database.'
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
        setup) _sipctl_setup ;;
        serve) _sipctl_serve ;;
        ul) _sipctl_ul ;;
        user) _sipctl_user ;;
        config) _sipctl_config ;;
        ha1) _sipctl_ha1 ;;
        check) _sipctl_check ;;
        last) _sipctl_last ;;
        status) _sipctl_status ;;
        stats) _sipctl_stats ;;
        ping) _sipctl_ping ;;
        calls) _sipctl_calls ;;
        drop) _sipctl_drop ;;
        trace) _sipctl_trace ;;
        monitor) _sipctl_monitor ;;
        ban) _sipctl_ban ;;
        reload) _sipctl_reload ;;
        stop) _sipctl_stop ;;
        log) _sipctl_log ;;
        db) _sipctl_db ;;
      esac
      ;;
  esac
}

_sipctl "$@"
