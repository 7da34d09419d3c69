# fish completion of sipacct, generated from its definition by: node build.js --completions

function __sipacct_at
  set -l words (commandline -opc)
  set -l path sipacct
  for word in $words[2..]
    switch "$path $word"
      case 'sipacct report' 'sipacct list'
        set path "$path $word"
    end
  end
  test "$path" = "$argv"
end

complete -c sipacct -f
complete -c sipacct -n '__sipacct_at sipacct' -a report -d 'Add up calls by direction and status.'
complete -c sipacct -n '__sipacct_at sipacct' -a list -d 'List calls.'
complete -c sipacct -n '__sipacct_at sipacct' -s h -l help -d 'show this help'
complete -c sipacct -n '__sipacct_at sipacct report' -l month -d 'those of one month; this one without a value'
complete -c sipacct -n '__sipacct_at sipacct report' -l user -x -a '(__fish_complete_users)' -d 'the calls of that account; your own if left out'
complete -c sipacct -n '__sipacct_at sipacct report' -l json -d 'print JSON'
complete -c sipacct -n '__sipacct_at sipacct report' -s h -l help -d 'show this help'
complete -c sipacct -n '__sipacct_at sipacct list' -l user -x -a '(__fish_complete_users)' -d 'the calls of that account; your own if left out'
complete -c sipacct -n '__sipacct_at sipacct list' -l json -d 'print JSON'
complete -c sipacct -n '__sipacct_at sipacct list' -s h -l help -d 'show this help'
