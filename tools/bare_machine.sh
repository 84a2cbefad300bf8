#!/usr/bin/env bash
# The README's two commands, in its order, where nothing is installed: a fresh Debian 12 of
# debootstrap's minbase in a chroot, whose root is no mount point. It has this machine's mirror and
# a copy of the files that git knows. Takes 10 GiB and the better part of an hour; needs root.
#
# usage: bare_machine.sh [COMMAND]     what to run there; default: ./quickstart.sh, then ./test.sh
#   FEEDRATE_MIRROR=URL                of Debian packages; default: of this machine's apt
#   FEEDRATE_BARE_DIR=DIR              where the chroot goes; default: a folder in /var/tmp
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1-}" in
  --help | -h) sed -nE '2,/^set/s/^# ?//p' "$0" && exit 0 ;;
esac
commands=${1-./quickstart.sh && ./test.sh}
if [ "$(id -u)" -ne 0 ]; then
  echo "error: bare_machine.sh needs root, to make a chroot" >&2
  echo "hint:  sudo tools/bare_machine.sh" >&2
  exit 3
fi
mirror=${FEEDRATE_MIRROR-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
  'Codename: bookworm' | head -n 1)}
if [ -z "$mirror" ]; then
  echo "error: this machine's apt names no mirror of Debian 12" >&2
  echo "hint:  FEEDRATE_MIRROR=http://deb.debian.org/debian tools/bare_machine.sh" >&2
  exit 3
fi
root=$(mktemp -d "${FEEDRATE_BARE_DIR-/var/tmp}/feedrate_bare_XXXXXX")
chmod 755 "$root"  # as a root is: other users' tests run there, too
# What is mounted there is mounted in a namespace of its own and goes with its last process, which
# dies with this script: so this removes nothing else.
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' INT TERM HUP
begin=$SECONDS
debootstrap --variant=minbase bookworm "$root" "$mirror"
for file in resolv.conf hosts; do cp -L "/etc/$file" "$root/etc/$file"; done
# A proxy that apt was given here is needed there, too.
apt-config dump | grep -E '^Acquire::(http|https|Retries)' >"$root/etc/apt/apt.conf.d/90here" || true
mkdir "$root/feedrate"
git ls-files -z | tar --create --null --files-from=- | tar --extract --no-same-owner -C "$root/feedrate"
echo "bare Debian 12: ok ($((SECONDS - begin)) s)"
inside='set -e
mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys" && mount -t proc proc "$1/proc"
exec chroot "$1" env -i HOME=/root TERM=dumb PATH=/usr/sbin:/usr/bin:/sbin:/bin CI=true \
  bash -c "cd /feedrate && $2"'
unshare --mount --propagation private --pid --fork --kill-child bash -c "$inside" inside "$root" "$commands" </dev/null
echo "the README's commands in a bare Debian 12: ok ($((SECONDS - begin)) s)"
