#!/usr/bin/env bash
# check_completion.sh FILE: sources the completion of bash and asks it as bash does. The words are
# those that bash makes of a command line; the last one is being completed.
set -euo pipefail
source "$1"
failed=0

ask() {
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  _feedrate
}
# offers EXPECTED WORDS...: just these, in this order.
offers() {
  ask "${@:2}"
  [ "${COMPREPLY[*]}" = "$1" ] && return
  echo "${*:2}: offers '${COMPREPLY[*]}', not '$1'"
  failed=1
}
# among EXPECTED WORDS...: this, and maybe others.
among() {
  ask "${@:2}"
  [[ " ${COMPREPLY[*]} " == *" $1 "* ]] && return
  echo "${*:2}: offers '${COMPREPLY[*]}' without '$1'"
  failed=1
}

offers train feedrate tr
offers drop-caches feedrate help drop
among --accelerators feedrate train --acc
among resnet50 feedrate train res
offers unet3d feedrate plan resnet50 une                    # a plan has several jobs
offers "" feedrate find resnet50 uns                        # a folder: bash's own
offers llama3-8b feedrate load llama3-8
offers llama3-8b feedrate plan unet3d --model llama3-8
offers "auto direct buffered" feedrate train d --io ""
offers virtual feedrate train d --clock = v                 # bash makes three words of "--clock=v"
offers "safetensors torch dcp raw shared" feedrate checkpoint llama3-8b c --layout =
offers "posix null" feedrate find resnet50 --storage ""
cd /
offers usr feedrate find resnet50 --data us
exit $failed
