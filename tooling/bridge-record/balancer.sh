#!/bin/bash
# The official CLI through a bridge to two engines behind a TCP balancer that ends TLS, with affinity and round-robin without.
# Linux, with haproxy and a Docker daemon that has ENGINE_IMAGE and starts privileged containers; standard output is the record.
# usage: balancer.sh OFFICIAL_CLI ENGINE_IMAGE
set -eu

official=$1 engine_image=$2
here=$(cd "$(dirname "$0")" && pwd)
anyrunner=(node "$here/../../apps/cli/src/bin.ts")
work=$(mktemp -d /var/tmp/anyrunner-balancer.XXXXXX)
engines=(anyrunner-test-bridged-one anyrunner-test-bridged-two)
finish() {
  set +e
  [ -n "${balancer-}" ] && kill "$balancer"
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
cat >"$work/haproxy.cfg" <<CFG
global
  stats socket $work/stats mode 600 level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend affine
  bind 127.0.0.1:18480 ssl crt $work/certs/server.pem ca-file $work/certs/ca.pem verify required
  default_backend by_client
frontend around
  bind 127.0.0.1:18481 ssl crt $work/certs/server.pem ca-file $work/certs/ca.pem verify required
  default_backend by_turns
backend by_client
  balance roundrobin
  stick-table type ip size 10k expire 10m
  stick on src
  server one 127.0.0.1:$(port_of "${engines[0]}")
  server two 127.0.0.1:$(port_of "${engines[1]}")
backend by_turns
  balance roundrobin
  server one 127.0.0.1:$(port_of "${engines[0]}")
  server two 127.0.0.1:$(port_of "${engines[1]}")
CFG
haproxy -q -db -f "$work/haproxy.cfg" &
balancer=$!
sleep 1
files="ca_path=$work/certs/ca.pem&cert_path=$work/certs/client.pem&key_path=$work/certs/client.pem"
node "$here/record.ts" "$official" "tcp://127.0.0.1:$(port_of "${engines[0]}")" "tls://127.0.0.1:18480?$files" "tls://127.0.0.1:18481?$files"
printf '\nConnections that the balancer gave to the engines:\n\n```\n'
echo 'show stat' | socat stdio "$work/stats" | awk -F, '$1 ~ /^by_/ && $2 != "BACKEND" { printf "%s, engine %s: %s\n", $1, $2, $8 }'
printf '```\n'
