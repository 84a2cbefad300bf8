#!/usr/bin/env zsh
# check_completion.zsh FOLDER: asks a zsh of its own, on a pseudo terminal, what _feedrate of that
# folder completes. A Tab there prints the offers between two marks instead of showing them.
emulate -L zsh
zmodload zsh/zpty || exit 1
zpty shell zsh -f -i
say() { zpty -w shell "$1" }
say 'PROMPT= RPROMPT= PS2=; stty -echo; unset zle_bracketed_paste'
say "fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -D -u"
say "zstyle ':completion:*' format ''; zstyle ':completion:*' list-grouped no"
# Every way to offer something ends in compadd: what it would add is noted, and added as well.
say 'compadd() {
  builtin compadd "$@"; local added=$?
  [[ ${@[1,(i)(-|--)]} == *-(O|A|D)* ]] && return added
  local -a hits; builtin compadd -O hits "$@"; offers+=("${hits[@]}")
  return added
}'
say 'show() {
  local -a offers; zle complete-word
  print -r -- "<<<${offers[*]}>>>"; zle kill-buffer
}'
say 'zle -N show; bindkey "^I" show; print ready""now'
zpty -r shell reply '*readynow*'

failed=0
ask() {
  zpty -w -n shell "$1"$'\t'
  zpty -r shell reply '*<<<*>>>*'
  reply=${${reply##*<<<}%%>>>*}
}
offers() {  # offers EXPECTED LINE: just these
  ask "$2"
  [[ ${(j: :)${(ou)=reply}} == ${(j: :)${(ou)=1}} ]] && return
  print -r -- "$2: offers '$reply', not '$1'"
  failed=1
}
among() {  # among EXPECTED LINE: this, and maybe others
  ask "$2"
  [[ " $reply " == *" $1 "* ]] && return
  print -r -- "$2: offers '$reply' without '$1'"
  failed=1
}

offers 'train' 'feedrate tr'
among '--accelerators' 'feedrate train --acc'
among 'resnet50' 'feedrate train res'
among 'unet3d' 'feedrate plan resnet50 une'
among 'llama3-8b' 'feedrate load llama3-8'
offers 'llama3-8b' 'feedrate plan unet3d --model llama3-8'
offers 'auto direct buffered' 'feedrate train resnet50 --io '
offers 'safetensors torch dcp raw shared' 'feedrate checkpoint llama3-8b c --layout='
cd /
say 'cd /'
among 'usr' 'feedrate find resnet50 --data us'
zpty -d shell
exit $failed
