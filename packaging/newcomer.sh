#!/usr/bin/env bash
# How long a newcomer takes: from a Debian 12 that has nothing (debootstrap) to the first neighbours, by README's
# commands and no others. Prints the minutes and the lines typed, those of the first program in Python included.
#
#   packaging/newcomer.sh [cpp] [python]     as root, with debootstrap; both where none is named
set -euo pipefail
clone=$(realpath "$(dirname "$0")/..")
[ $# -gt 0 ] || set -- cpp python
for way in "$@"; do
  [[ $way =~ ^(cpp|python)$ ]] || { echo "newcomer.sh: '$way': must be cpp or python" >&2; exit 2; }
done
# In a namespace of its own, whose mounts end with it.
[ -n "${ANNULUS_NEWCOMER:-}" ] || ANNULUS_NEWCOMER=1 exec unshare --mount --propagation private "$0" "$@"

command_of() {
  grep --max-count=1 -E "^apt-get .*$1" "$clone/README.md" || { echo "README.md has no line with $1" >&2; exit 1; }
}
demo_command=$(command_of '--workflow --preset demo')
python_command=$(command_of 'pip install \./python ')

# 300 rows on a line, one apart: the neighbours of 7.2 are the 7th, the 8th and the 6th.
program='import numpy, annulus
rows = numpy.arange(300, dtype=numpy.float32).reshape(-1, 1)
found = annulus.NNDescentIndex(rows).search(numpy.float32([[7.2]]), 3)
print(found.ids)
assert found.ids.tolist() == [[7, 8, 6]]'

work=$(mktemp -d)
root=$work/root
remove_root() {
  while mountpoint --quiet "$root/proc"; do umount "$root/proc" || return; done
  rm -rf --one-file-system "$root"
}
trap 'remove_root; rm -rf --one-file-system "$work"' EXIT

# A new root, with this machine's way to the network, and what is committed of the clone.
fresh_root() {
  remove_root
  mkdir "$root"
  debootstrap --variant=minbase bookworm "$root" > "$work/log" 2>&1 || { tail "$work/log"; return 1; }
  mountpoint --quiet "$root/proc" || mount -t proc proc "$root/proc"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  mkdir -p "$root/etc/ssl/certs" "$root/annulus"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" || true
  git -C "$clone" archive HEAD | tar x -C "$root/annulus"
}
in_root() {
  env DEBIAN_FRONTEND=noninteractive LC_ALL=C HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    chroot "$root" bash -euc "cd /annulus && $1"
}
report() {
  printf '%s: %d.%d minutes, %d line(s) typed, %d MB installed and built\n' \
    "$1" $((SECONDS / 60)) $((SECONDS % 60 / 6)) "$2" "$(du -sm --exclude=proc "$root" | cut -f 1)"
}

for way in "$@"; do
  fresh_root
  SECONDS=0
  case $way in
    cpp)
      in_root "$demo_command" > "$work/log" 2>&1 || { tail -n 50 "$work/log"; exit 1; }
      tail -n 12 "$work/log"
      report "C++" 1
      ;;
    python)
      in_root "$python_command" > "$work/log" 2>&1 || { tail -n 50 "$work/log"; exit 1; }
      in_root "venv/bin/python -c '$program'"
      report Python $((1 + $(wc -l <<< "$program")))
      ;;
  esac
done
