#compdef sippasswd
# Generated from its definition by: node build.js --completions

_sippasswd() {
  _arguments -s \
    '(-l --lock)'{-l,--lock}'[lock the account (root)]' \
    '(-u --unlock)'{-u,--unlock}'[unlock the account (root)]' \
    '(-d --delete)'{-d,--delete}'[delete the password]' \
    '(-e --expire)'{-e,--expire}'[let the account expire on YYYY-MM-DD, or never (root)]:DATE: ' \
    '(-S --status)'{-S,--status}'[show the status of the password]' \
    '(-a --all)'{-a,--all}'[with -S, of all accounts (root)]' \
    '--stdin[read the password from standard input]' \
    '--generate[make a password and print it once]' \
    '--verify[test a password instead of changing it]' \
    '--realm[the realm; the keyword Realm, else the host name]:REALM: ' \
    '--did[the domain id; _default]:DID: ' \
    '--format[what is stored]:FORMAT:(ha1 sha1 plain)' \
    '--batch[read user:password lines from standard input (root)]' \
    '--import[take passwords from htdigest, Kamailio, Flexisip or Asterisk (root)]:FILE:_files' \
    '--json[print JSON]' \
    '--version[show the version]' \
    '(-h --help)'{-h,--help}'[show this help]' \
    '::user:_users'
}

_sippasswd "$@"
