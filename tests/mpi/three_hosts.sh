#!/usr/bin/env bash
# Runs an MPI program on one host and on three, and compares what it prints. The hosts are network namespaces of this
# machine with names, interfaces and loopbacks of their own, joined by a link that delays packets and loses some; Open
# MPI's processes know only TCP between them.
#
#     tests/mpi/three_hosts.sh [--ranks 2] [--delay-ms 2] [--loss-percent 1] [--seconds 300] PROGRAM [ARGUMENT...]
#
# --ranks is how many run on each host, the delay that of one way, and --seconds what a run may take. Fails where the
# program fails on either, or prints something else: its output must not depend on time. Needs root, iproute2,
# util-linux, Open MPI (MPIRUN in the environment names its mpirun), and either a kernel with netem or python3 and
# /dev/net/tun; ends with 77 (skipped, to ctest) and a message where one is missing.
set -euo pipefail

ranks=2 delay_ms=2 loss_percent=1 seconds=300
while [[ ${1-} == --* ]]; do
  case $1 in
    --ranks) ranks=$2 ;;
    --delay-ms) delay_ms=$2 ;;
    --loss-percent) loss_percent=$2 ;;
    --seconds) seconds=$2 ;;
    *) echo "$1: unknown; options are --ranks, --delay-ms, --loss-percent and --seconds" >&2; exit 2 ;;
  esac
  shift 2
done
[[ $# -ge 1 ]] || { echo "usage: $0 [OPTION VALUE]... PROGRAM [ARGUMENT...]" >&2; exit 2; }

skip() { echo "skipped: $1" >&2; exit 77; }
[[ $EUID -eq 0 ]] || skip "network namespaces need root"
for tool in ip tc nstat unshare; do command -v "$tool" > /dev/null || skip "there is no $tool"; done
mpirun=$(command -v "${MPIRUN:-mpirun.openmpi}" || command -v mpirun) || skip "there is no mpirun"
[[ $("$mpirun" --version 2>&1) == *open-mpi.org* ]] || skip "$mpirun is not Open MPI's"

hosts=(1 2 3)
name=ann$$  # of namespaces and interfaces: runs beside each other do not meet
network=10.77.0
work=$(mktemp --directory)
relay=
clean_up() {
  if [[ -n $relay ]]; then
    kill "$relay" 2> /dev/null || true
    wait "$relay" 2> /dev/null || true
  fi
  for host in "${hosts[@]}"; do ip netns delete "$name-$host" 2> /dev/null || true; done
  ip link delete "$name" 2> /dev/null || true
  rm --recursive --force "$work"
}
trap clean_up EXIT

for host in "${hosts[@]}"; do
  ip netns add "$name-$host" 2> "$work/error" || skip "no network namespaces: $(< "$work/error")"
  ip --netns "$name-$host" link set lo up
done

# A bridge, and a pair of interfaces to each host, whose end in the host delays and loses what the host sends. Fails
# where the kernel has no bridges, pairs or netem.
link_by_bridge() {
  ip link add "$name" type bridge && ip link set "$name" up || return 1
  for host in "${hosts[@]}"; do
    ip link add "$name-$host" type veth peer name eth0 netns "$name-$host" &&
      ip link set "$name-$host" master "$name" up &&
      tc -netns "$name-$host" qdisc add dev eth0 root netem delay "${delay_ms}ms" loss "${loss_percent}%" || return 1
  done
}

# The same by a process that reads packets from an interface of each host and writes them to another's.
link_by_relay() {
  ip link delete "$name" 2> /dev/null || true
  for host in "${hosts[@]}"; do ip --netns "$name-$host" link delete eth0 2> /dev/null || true; done
  command -v python3 > /dev/null || skip "the kernel has no netem, and there is no python3"
  [[ -c /dev/net/tun ]] || skip "the kernel has no netem, and there is no /dev/net/tun"
  python3 "$(dirname "$0")/relay.py" "$network" "$delay_ms" "$loss_percent" "${hosts[@]/#/$name-}" > "$work/relay" &
  relay=$!
  until [[ -s $work/relay ]]; do  # it says when it is ready
    kill -0 "$relay" 2> /dev/null || skip "the kernel has no netem, and the relay did not start"
    sleep 0.1
  done
  for host in "${hosts[@]}"; do
    ip link set "$name-$host" netns "$name-$host"
    ip --netns "$name-$host" link set "$name-$host" name eth0
  done
}

if link_by_bridge 2> "$work/error"; then
  echo "three hosts on a bridge, netem: ${delay_ms} ms, ${loss_percent} % lost"
else
  link_by_relay
  echo "the kernel has no netem; three hosts on a relay: ${delay_ms} ms, ${loss_percent} % lost"
fi
for host in "${hosts[@]}"; do
  ip --netns "$name-$host" address add "$network.$host/24" dev eth0
  ip --netns "$name-$host" link set eth0 up
done

# Open MPI starts its daemons by this in place of ssh. A host has a name of its own, as Open MPI takes processes on
# hosts of one name to be on one machine.
cat > "$work/on_host" << END
#!/bin/sh
host=\${1##*.}
shift
exec ip netns exec "$name-\$host" unshare --uts sh -c "hostname $name-\$host && \$*"
END
chmod +x "$work/on_host"

run=(timeout "$seconds" "$mpirun" --allow-run-as-root --oversubscribe --bind-to none -n $((3 * ranks)))
slots="$network.1:$ranks,$network.2:$ranks,$network.3:$ranks"
across=(--host "$slots" --mca plm_rsh_agent "$work/on_host"
  --mca pml ob1 --mca btl tcp,self --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0)
"${run[@]}" "$@" > "$work/one" || { cat "$work/one"; echo "failed on one host" >&2; exit 1; }
status=0
"$work/on_host" "$network.1" "$(printf '%q ' "${run[@]}" "${across[@]}" "$@")" > "$work/three" || status=$?
for host in "${hosts[@]}"; do
  ip netns exec "$name-$host" nstat --zeros --noupdate TcpOutSegs TcpRetransSegs |
    awk -v host="$host" '/^Tcp/ {n[$1] = $2} END {print "host " host ": " n["TcpOutSegs"] " segments sent, " n["TcpRetransSegs"] " of them again"}'
done
[[ $status -eq 0 ]] || { cat "$work/three"; echo "failed on three hosts" >&2; exit 1; }
diff "$work/one" "$work/three" || { echo "one host and three differ" >&2; exit 1; }
echo "$((3 * ranks)) ranks print the same on one host and on three"
