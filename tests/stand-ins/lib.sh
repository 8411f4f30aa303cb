# What all stand-ins have in common: they note each call, refuse arguments that the real tool does not take, keep their state in files, and misbehave when told to.
#
#   STAND_INS        the directory of their state
#     calls          every call, a line each
#     effects        every change of state: what must not happen twice
#     changing       every call that changed something
#     refused        calls that the real tool would not understand
#   STAND_IN_FAULT   "KIND CALL": at the first call that is CALL
#     fail           it fails before it does anything
#     cut            it does what it should, and fails
#     hang           it does nothing, and does not end
#     linger         it does what it should, and does not end

tool=${0##*/}
call="$tool $*"
state=${STAND_INS:?}
printf '%s\n' "$call" >>"$state/calls"

effect() {
  printf '%s\n' "$tool $*" >>"$state/effects"
  printf '%s\n' "$call" >>"$state/changing"
}

# complain CODE MESSAGE...: as the real tool does when it cannot.
complain() {
  local code=$1
  shift
  printf '%s\n' "$*" >&2
  exit "$code"
}

# refuse WHY: no such arguments.
refuse() {
  printf '%s\n  %s\n' "$call" "$*" >>"$state/refused"
  complain 64 "$tool: the real one does not take this: $*"
}

# expect WHAT PATTERN VALUE
expect() {
  printf '%s' "$3" | grep -Eqx -- "$2" || refuse "$1 is '$3'"
}

# At most once: the directory is the memory.
is_told() {
  [ "${STAND_IN_FAULT:-}" = "$1 $call" ] && mkdir "$state/fault" 2>/dev/null
}

hang() {
  echo $$ >"$state/hanging.new"
  mv "$state/hanging.new" "$state/hanging"
  exec sleep 120
}

# play ARGUMENTS...: calls `run`, which is the tool.
play() {
  if is_told fail; then complain 1 "$tool: it was told to fail"; fi
  if is_told hang; then hang; fi
  run "$@"
  if is_told linger; then hang; fi
  if is_told cut; then complain 1 "$tool: it was told to fail afterwards"; fi
}
