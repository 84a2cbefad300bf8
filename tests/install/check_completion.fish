#!/usr/bin/env fish
# check_completion.fish FILE: reads the completions of fish and asks them as fish does.
source $argv[1]
set -g failed 0

# offers EXPECTED LINE: just these, in any order.
function offers
    set -l found (complete -C $argv[2] | string split -f 1 \t | sort -u | string join ' ')
    set -l wanted (string split ' ' -- $argv[1] | sort -u | string join ' ')
    test "$found" = "$wanted"; and return
    echo "$argv[2]: offers '$found', not '$wanted'"
    set failed 1
end
# among EXPECTED LINE: this, and maybe others.
function among
    contains -- $argv[1] (complete -C $argv[2] | string split -f 1 \t); and return
    echo "$argv[2]: offers '"(complete -C $argv[2] | string split -f 1 \t | string join ' ')"' without '$argv[1]'"
    set failed 1
end

cd (mktemp -d)
offers train 'feedrate tr'
offers drop-caches 'feedrate help drop'
among --accelerators 'feedrate train --acc'
among resnet50 'feedrate train res'
offers unet3d 'feedrate plan resnet50 une'
offers '' 'feedrate find resnet50 uns'
offers llama3-8b 'feedrate load llama3-8'
offers llama3-8b 'feedrate plan unet3d --model llama3-8'
offers 'auto direct buffered' 'feedrate train resnet50 --io '
offers '--layout=safetensors --layout=torch --layout=dcp --layout=raw --layout=shared' 'feedrate checkpoint llama3-8b c --layout='
offers 'posix null' 'feedrate find resnet50 --storage '
cd /
among usr/ 'feedrate find resnet50 --data us'
exit $failed
