# One line for each mutant of lib/model/tables.def: LINE <tab> WHAT <tab> the row as it is then (empty: dropped).
function tell(what, row) { printf "%d\t%s\t%s\n", NR, what, row }
function field(n, to,   i, out) { # the row with its n-th argument exchanged
  out = kind "("
  for (i = 1; i <= fields; i++) out = out (i > 1 ? ", " : "") (i == n ? to : arg[i])
  return out ")"
}
# Arguments of a row that stands on one line; commas within quotes belong to a text.
function read_row(line,   i, c, quoted, text) {
  kind = line; sub(/\(.*/, "", kind)
  sub(/^[A-Z_]+\(/, "", line); sub(/\)[^)]*$/, "", line)
  fields = 0; text = ""; quoted = 0
  for (i = 1; i <= length(line); i++) {
    c = substr(line, i, 1)
    if (c == "\"") quoted = !quoted
    if (c == "," && !quoted) { arg[++fields] = text; text = ""; sub(/^ +/, "", line); continue }
    text = text c
  }
  arg[++fields] = text
  for (i = 1; i <= fields; i++) sub(/^ +/, "", arg[i])
}
BEGIN {
  want["WANT_ON"] = "WANT_OFF"; want["WANT_OFF"] = "WANT_ON"; want["WANT_ENDED"] = "WANT_OFF"; want["WANT_ABSENT"] = "WANT_OFF"
  state["STATE_RUNNING"] = "STATE_STOPPED"; state["STATE_STOPPED"] = "STATE_SUSPENDED"; state["STATE_SUSPENDED"] = "STATE_STOPPED"
  state["STATE_DELETED"] = "STATE_STOPPED"; state["STATE_NEW"] = "STATE_COUNT"
}
/^(CELL|ACT|TRANSITION|WALK|STEP|INTENT)\(.*\)$/ {
  read_row($0)
  name = kind " " arg[1] (kind == "CELL" || kind == "ACT" || kind == "TRANSITION" ? " " arg[2] : "")
  if (kind == "CELL" || kind == "ACT" || kind == "TRANSITION") tell(name ": dropped", "")
  if (kind == "CELL") tell(name ": another walk", field(3, arg[3] == "NONE" ? "STOP" : "NONE"))
  if (kind == "ACT") {
    if (arg[5] in want) tell(name ": wants " want[arg[5]], field(5, want[arg[5]]))
    tell(name ": of another thing", field(4, arg[4] == "OF_SERVING" ? "OF_INSTANCE" : "OF_SERVING"))
    if (arg[6] != "\"\"") tell(name ": waits for nothing", field(6, "\"\""))
  }
  if (kind == "WALK" && (arg[3] in state)) tell(name ": is " state[arg[3]] " when it runs again", field(3, state[arg[3]]))
  if (kind == "WALK" && (arg[4] in state)) tell(name ": ends in " state[arg[4]], field(4, state[arg[4]]))
  if (kind == "STEP" && arg[4] != "0") tell(name ": is never sent again", field(4, "0"))
  if (kind == "STEP" && arg[5] > 1) tell(name ": one try", field(5, "1"))
  if (kind == "INTENT" && arg[3] != "CREATED") tell(name ": another event", field(3, "CREATED"))
}
