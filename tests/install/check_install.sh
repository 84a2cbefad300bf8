#!/usr/bin/env bash
# check_install.sh BUILD SOURCE: installs, builds the example against it, runs everything.
set -euo pipefail
build=$1
source=$2
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --prefix "$prefix" >/dev/null
"$prefix/bin/feedrate" --version
"$prefix/bin/feedrate" show resnet50 >/dev/null
man=$prefix/share/man/man1/feedrate.1
grep -qF 'readers' "$man"
if command -v mandoc >/dev/null; then  # a page without a date is meant: builds are repeatable
  complaints=$(mandoc -T lint -W warning "$man" | grep -v 'missing date' || true)
  [ -z "$complaints" ] || { echo "$complaints"; exit 1; }
  mandoc -T utf8 "$man" | col -b | grep -F 'Default: 65536.'
fi
bash -e -c "source '$prefix/share/bash-completion/completions/feedrate'
  COMP_WORDS=(feedrate tr); COMP_CWORD=1; _feedrate; [ \"\${COMPREPLY[*]}\" = train ]
  COMP_WORDS=(feedrate train --acc); COMP_CWORD=2; _feedrate; [[ \" \${COMPREPLY[*]} \" == *' --accelerators '* ]]
  COMP_WORDS=(feedrate train d --io ''); COMP_CWORD=4; _feedrate; [ \"\${COMPREPLY[*]}\" = 'auto direct buffered' ]
  COMP_WORDS=(feedrate train d --clock = v); COMP_CWORD=5; _feedrate; [ \"\${COMPREPLY[*]}\" = virtual ]
  COMP_WORDS=(feedrate checkpoint llama3-8b c --layout = ); COMP_CWORD=5; _feedrate; [[ \" \${COMPREPLY[*]} \" == *' torch '* ]]
  COMP_WORDS=(feedrate load llama3-8); COMP_CWORD=2; _feedrate; [ \"\${COMPREPLY[*]}\" = llama3-8b ]
  COMP_WORDS=(feedrate find resnet50 uns); COMP_CWORD=3; _feedrate; [ -z \"\${COMPREPLY[*]}\" ]
  COMP_WORDS=(feedrate plan resnet50 une); COMP_CWORD=3; _feedrate; [ \"\${COMPREPLY[*]}\" = unet3d ]
  COMP_WORDS=(feedrate help drop); COMP_CWORD=2; _feedrate; [ \"\${COMPREPLY[*]}\" = drop-caches ]
  cd /; COMP_WORDS=(feedrate find resnet50 --data us); COMP_CWORD=4; _feedrate; [ \"\${COMPREPLY[*]}\" = usr ]
  COMP_WORDS=(feedrate train res); COMP_CWORD=2; _feedrate; [[ \" \${COMPREPLY[*]} \" == *' resnet50 '* ]]"
cmake -S "$source/examples/embed" -B "$prefix/embed" -G Ninja \
  -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
ninja -C "$prefix/embed" >/dev/null
"$prefix/embed/embed" | grep -x "AU 1.000 over 100 steps"
