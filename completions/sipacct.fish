# fish completion of sipacct, generated from its definition by: node build.js --completions

function __sipacct_at
  set -l words (commandline -opc)
  set -l path sipacct
  for word in $words[2..]
    switch "$path $word"
      case 'sipacct report' 'sipacct list' 'sipacct missed' 'sipacct export'
        set path "$path $word"
    end
  end
  test "$path" = "$argv"
end

complete -c sipacct -f
complete -c sipacct -n '__sipacct_at sipacct' -a report -d 'Add up calls.'
complete -c sipacct -n '__sipacct_at sipacct' -a list -d 'List calls.'
complete -c sipacct -n '__sipacct_at sipacct' -a missed -d 'List calls that were missed.'
complete -c sipacct -n '__sipacct_at sipacct' -a export -d 'Print all that is known of calls, for other programs.'
complete -c sipacct -n '__sipacct_at sipacct' -s h -l help -d 'show this help'
complete -c sipacct -n '__sipacct_at sipacct report' -l year -d 'those of a year; of this one without a value'
complete -c sipacct -n '__sipacct_at sipacct report' -l month -d 'those of a month; of this one without a value'
complete -c sipacct -n '__sipacct_at sipacct report' -l day -d 'those of a day; of today without a value'
complete -c sipacct -n '__sipacct_at sipacct report' -l since -x -d 'those that began then or later: yesterday, -7d, 2026-11-22'
complete -c sipacct -n '__sipacct_at sipacct report' -l until -x -d 'those that began before; a day, month or year that is named is counted in'
complete -c sipacct -n '__sipacct_at sipacct report' -l user -x -a '(__fish_complete_users)' -d 'the calls of that account; left out: one\'s own, and all for root'
complete -c sipacct -n '__sipacct_at sipacct report' -l all -d 'the calls of all accounts, from the log of the host'
complete -c sipacct -n '__sipacct_at sipacct report' -l by -x -a 'month day year hour weekday user peer direction' -d 'what to add up by; left out: month, and a smaller unit for one month or day'
complete -c sipacct -n '__sipacct_at sipacct report' -l format -x -a 'text csv json jsonl html svg' -d 'how to print it; a table unless told'
complete -c sipacct -n '__sipacct_at sipacct report' -l json -d 'print JSON'
complete -c sipacct -n '__sipacct_at sipacct report' -s h -l help -d 'show this help'
complete -c sipacct -n '__sipacct_at sipacct list' -l year -d 'those of a year; of this one without a value'
complete -c sipacct -n '__sipacct_at sipacct list' -l month -d 'those of a month; of this one without a value'
complete -c sipacct -n '__sipacct_at sipacct list' -l day -d 'those of a day; of today without a value'
complete -c sipacct -n '__sipacct_at sipacct list' -l since -x -d 'those that began then or later: yesterday, -7d, 2026-11-22'
complete -c sipacct -n '__sipacct_at sipacct list' -l until -x -d 'those that began before; a day, month or year that is named is counted in'
complete -c sipacct -n '__sipacct_at sipacct list' -l user -x -a '(__fish_complete_users)' -d 'the calls of that account; left out: one\'s own, and all for root'
complete -c sipacct -n '__sipacct_at sipacct list' -l all -d 'the calls of all accounts, from the log of the host'
complete -c sipacct -n '__sipacct_at sipacct list' -s n -l lines -x -d 'the last so many'
complete -c sipacct -n '__sipacct_at sipacct list' -l json -d 'print JSON'
complete -c sipacct -n '__sipacct_at sipacct list' -s h -l help -d 'show this help'
complete -c sipacct -n '__sipacct_at sipacct missed' -l year -d 'those of a year; of this one without a value'
complete -c sipacct -n '__sipacct_at sipacct missed' -l month -d 'those of a month; of this one without a value'
complete -c sipacct -n '__sipacct_at sipacct missed' -l day -d 'those of a day; of today without a value'
complete -c sipacct -n '__sipacct_at sipacct missed' -l since -x -d 'those that began then or later: yesterday, -7d, 2026-11-22'
complete -c sipacct -n '__sipacct_at sipacct missed' -l until -x -d 'those that began before; a day, month or year that is named is counted in'
complete -c sipacct -n '__sipacct_at sipacct missed' -l user -x -a '(__fish_complete_users)' -d 'the calls of that account; left out: one\'s own, and all for root'
complete -c sipacct -n '__sipacct_at sipacct missed' -l all -d 'the calls of all accounts, from the log of the host'
complete -c sipacct -n '__sipacct_at sipacct missed' -s n -l lines -x -d 'the last so many'
complete -c sipacct -n '__sipacct_at sipacct missed' -l json -d 'print JSON'
complete -c sipacct -n '__sipacct_at sipacct missed' -s h -l help -d 'show this help'
complete -c sipacct -n '__sipacct_at sipacct export' -l year -d 'those of a year; of this one without a value'
complete -c sipacct -n '__sipacct_at sipacct export' -l month -d 'those of a month; of this one without a value'
complete -c sipacct -n '__sipacct_at sipacct export' -l day -d 'those of a day; of today without a value'
complete -c sipacct -n '__sipacct_at sipacct export' -l since -x -d 'those that began then or later: yesterday, -7d, 2026-11-22'
complete -c sipacct -n '__sipacct_at sipacct export' -l until -x -d 'those that began before; a day, month or year that is named is counted in'
complete -c sipacct -n '__sipacct_at sipacct export' -l user -x -a '(__fish_complete_users)' -d 'the calls of that account; left out: one\'s own, and all for root'
complete -c sipacct -n '__sipacct_at sipacct export' -l all -d 'the calls of all accounts, from the log of the host'
complete -c sipacct -n '__sipacct_at sipacct export' -l format -x -a 'csv json jsonl' -d 'csv unless told'
complete -c sipacct -n '__sipacct_at sipacct export' -l json -d 'print JSON'
complete -c sipacct -n '__sipacct_at sipacct export' -s h -l help -d 'show this help'
