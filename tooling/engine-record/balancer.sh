#!/bin/bash
# Two engines behind a TCP balancer that ends TLS: a hundred sessions with affinity, a hundred without, one engine drained and stopped.
# Linux, with haproxy, socat and a Docker daemon that has ENGINE_IMAGE and starts privileged containers.
# usage: balancer.sh ENGINE_IMAGE [ANYRUNNER...]
set -eu

engine_image=$1
shift
anyrunner=("${@:-anyrunner}")
work=$(mktemp -d /var/tmp/anyrunner-balancer.XXXXXX)
engines=(anyrunner-test-balanced-one anyrunner-test-balanced-two)
sessions=100 machines=10 at_once=4
pids=()

say() { printf '\n== %s\n' "$*"; }
finish() {
  set +e
  kill "${pids[@]}" 2>/dev/null
  docker rm -fv "${engines[@]}" >/dev/null 2>&1
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

for engine in "${engines[@]}"; do
  docker run -d --privileged --name "$engine" -v /var/lib/dagger -p 127.0.0.1::1234 "$engine_image" --addr tcp://0.0.0.0:1234 >/dev/null
done
port_of() { docker port "$1" 1234/tcp | sed 's/.*://'; }
for engine in "${engines[@]}"; do
  echo '{version}' | "${anyrunner[@]}" query --silent --runner "tcp://127.0.0.1:$(port_of "$engine")" >/dev/null
done

"${anyrunner[@]}" certs create "$work/certs" --host 127.0.0.1 >/dev/null
balance() {
  cat >"$work/haproxy.cfg" <<CFG
global
  stats socket $work/stats mode 600 level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend tls
  bind 127.0.0.1:$1 ssl crt $work/certs/server.pem ca-file $work/certs/ca.pem verify required
  default_backend engines
backend engines
  balance roundrobin
  $2
  server one 127.0.0.1:$(port_of "${engines[0]}")
  server two 127.0.0.1:$(port_of "${engines[1]}")
CFG
  haproxy -q -db -f "$work/haproxy.cfg" &
  balancer=$!
  pids+=("$balancer")
  sleep 1
}
ask_balancer() { socat stdio "$work/stats" <<<"$1"; }
# server, connections now, connections in all
counts() { ask_balancer 'show stat' | awk -F, '$1 == "engines" && $2 != "BACKEND" { printf "%s: %s connections, %s open; ", $2, $8, $5 } END { print "" }'; }
files="ca_path=$work/certs/ca.pem&cert_path=$work/certs/client.pem&key_path=$work/certs/client.pem"

# A machine of its own, as the balancer sees it.
machine() {
  socat "TCP-LISTEN:$2,bind=127.0.0.1,reuseaddr,fork" "TCP:127.0.0.1:$3,bind=127.0.0.$((9 + $1))" &
  pids+=($!)
}
one_session() { echo '{version}' | "${anyrunner[@]}" query --json --silent --runner "tls://127.0.0.1:$2?$files" >"$work/out.$1" 2>"$work/err.$1"; }
hundred() {
  rm -f "$work"/out.* "$work"/err.*
  local failed=0 started=$EPOCHREALTIME
  for ((count = 0; count < sessions; count += at_once)); do
    local jobs=()
    for ((index = count; index < count + at_once; index++)); do
      one_session $index "$(port_for $index)" &
      jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job" || failed=$((failed + 1)); done
  done
  awk -v a="$started" -v b="$EPOCHREALTIME" -v f=$failed -v n=$sessions 'BEGIN { printf "%d sessions, %d failed, %.1f s\n", n, f, b - a }'
  cat "$work"/err.* | grep -o '"code":"[A-Z_]*"' | sort | uniq -c || true
  counts
}

base=18440
say "with affinity by client address"
balance $base "stick-table type ip size 10k expire 10m
  stick on src"
for ((index = 1; index <= machines; index++)); do machine $index $((base + index)) $base; done
sleep 1
port_for() { echo $((base + 1 + $1 % machines)); }
hundred

say "the same, while engine one is drained"
(sleep 3 && ask_balancer 'set server engines/one state drain' >/dev/null) &
hundred
ask_balancer 'set server engines/one state maint' >/dev/null
docker stop -t 60 "${engines[0]}" >/dev/null
say "the same, engine one stopped"
hundred
kill "$balancer"
docker start "${engines[0]}" >/dev/null
echo '{version}' | "${anyrunner[@]}" query --silent --runner "tcp://127.0.0.1:$(port_of "${engines[0]}")" >/dev/null

say "without affinity, one session after the other"
at_once=1
base=18460
balance $base ""
port_for() { echo $base; }
hundred
started=$EPOCHREALTIME
one_session last $base || cat "$work/err.last"
awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "after %.1f s\n", b - a }'
