# The figures of sipacct report, added up from the lines of acct files by nothing but awk.
#   awk -v by=day|user|total -v form=csv|table -v owner=NAME -f call-month.awk DAYS ACCT...
# DAYS has a line for each day of the month and one behind it: its name and when it begins in UTC. Whose calls they are is
# `owner`; without one they are the host's.

BEGIN { OFMT = CONVFMT = "%.15g" }

FILENAME == ARGV[1] { days++; name[days] = $1; begin[days] = $2; next }

{
  start = text("start")
  if (start < begin[1] || start >= begin[days]) next
  for (day = 1; start >= begin[day + 1]; day++);
  split("", keys)
  if (by == "total") keys["Total"]
  else if (by == "day") keys[name[day]]
  else if (owner != "") keys[owner]
  else {
    who = text("caller"); if (who != "") keys[who]
    who = text("callee"); if (who != "") keys[who]
    who = text("forwarded_by"); if (who != "") keys[who]
  }
  spoken = int(number("duration") * 1000 + 0.5)
  for (key in keys) {
    calls[key]++
    status[key, text("status")]++
    sum[key] += spoken
    if (spoken > longest[key]) longest[key] = spoken
  }
}

END {
  for (key in calls) {
    answered = status[key, "answered"] + 0
    average = answered ? int(sum[key] / answered + 0.5) : 0
    if (form == "table")
      printf "%s %d %d %d %.1f %s %s\n", key, calls[key], answered, status[key, "missed"], \
        int(sum[key] / 6000 + 0.5) / 10, clock(average), clock(longest[key])
    else
      print key "," calls[key] "," answered "," status[key, "missed"] + 0 "," status[key, "busy"] + 0 "," \
        status[key, "cancelled"] + 0 "," status[key, "failed"] + 0 "," sum[key] / 1000 "," \
        int(sum[key] / 600 + 0.5) / 100 "," average / 1000 "," longest[key] / 1000
  }
}

function text(key) {
  return match($0, "\"" key "\":\"[^\"]*\"") ? substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 5) : ""
}

function number(key) {
  return match($0, "\"" key "\":[0-9.]+") ? substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0 : 0
}

function clock(ms,   seconds) {
  seconds = int(ms / 1000 + 0.5)
  if (seconds < 3600) return sprintf("%d:%02d", int(seconds / 60), seconds % 60)
  return sprintf("%d:%02d:%02d", int(seconds / 3600), int(seconds / 60) % 60, seconds % 60)
}
