# fish completion of sippasswd, generated from its definition by: node build.js --completions

function __sippasswd_at
  set -l words (commandline -opc)
  set -l path sippasswd
  for word in $words[2..]
  end
  test "$path" = "$argv"
end

complete -c sippasswd -f
complete -c sippasswd -n '__sippasswd_at sippasswd' -a '(__fish_complete_users)'
complete -c sippasswd -n '__sippasswd_at sippasswd' -s l -l lock -d 'lock the account (root)'
complete -c sippasswd -n '__sippasswd_at sippasswd' -s u -l unlock -d 'unlock the account (root)'
complete -c sippasswd -n '__sippasswd_at sippasswd' -s d -l delete -d 'delete the password'
complete -c sippasswd -n '__sippasswd_at sippasswd' -s e -l expire -x -d 'let the account expire on YYYY-MM-DD, or never (root)'
complete -c sippasswd -n '__sippasswd_at sippasswd' -s S -l status -d 'show the status of the password'
complete -c sippasswd -n '__sippasswd_at sippasswd' -s a -l all -d 'with -S, of all accounts (root)'
complete -c sippasswd -n '__sippasswd_at sippasswd' -l stdin -d 'read the password from standard input'
complete -c sippasswd -n '__sippasswd_at sippasswd' -l generate -d 'make a password and print it once'
complete -c sippasswd -n '__sippasswd_at sippasswd' -l verify -d 'test a password instead of changing it'
complete -c sippasswd -n '__sippasswd_at sippasswd' -l realm -x -d 'the realm; the keyword Realm, else the host name'
complete -c sippasswd -n '__sippasswd_at sippasswd' -l did -x -d 'the domain id; _default'
complete -c sippasswd -n '__sippasswd_at sippasswd' -l format -x -a 'ha1 sha1 plain' -d 'what is stored'
complete -c sippasswd -n '__sippasswd_at sippasswd' -l batch -d 'read user:password lines from standard input (root)'
complete -c sippasswd -n '__sippasswd_at sippasswd' -l import -r -F -d 'take passwords from htdigest, Kamailio, Flexisip or Asterisk (root)'
complete -c sippasswd -n '__sippasswd_at sippasswd' -l json -d 'print JSON'
complete -c sippasswd -n '__sippasswd_at sippasswd' -l version -d 'show the version'
complete -c sippasswd -n '__sippasswd_at sippasswd' -s h -l help -d 'show this help'
