#!/bin/bash
# Makes a machine without a way out, in a network namespace of its own: sshd, Podman's API, and a registry that wants TLS of a private
# authority and a login. Runs pipelines there through ssh:// and through Docker over ssh, then breaks it. Root on Linux, with iproute2,
# openssh-server, podman, docker-registry, skopeo, apache2-utils and a Docker daemon that has ENGINE_IMAGE.
# usage: air-gapped.sh ENGINE_IMAGE [ANYRUNNER...]
set -eu

engine_image=$1
shift
anyrunner=("${@:-anyrunner}")
tag=${engine_image##*:}
root=$(cd "$(dirname "$0")/../.." && pwd)
name=anyrunner-far
near=10.213.7.1 far=10.213.7.2
registry=10.213.7.2:5443
work=$(mktemp -d /var/tmp/anyrunner-far.XXXXXX)
socket=$work/podman.sock
pids=()

# `ip netns exec` would hide the control groups.
far() { nsenter "--net=/run/netns/$name" "$@"; }
podman_far() { CONTAINERS_CONF=$work/containers.conf far podman --root "$work/storage" --runroot "$work/run" "$@"; }
say() { printf '\n== %s\n' "$*"; }

finish() {
  set +e
  podman_far rm -af -t 2 >/dev/null 2>&1
  kill "${pids[@]}" 2>/dev/null
  sleep 1
  ip netns pids $name 2>/dev/null | xargs -r kill -9 2>/dev/null
  ip netns del $name 2>/dev/null
  ip link del ${name:0:12}0 2>/dev/null
  rm -rf "/etc/containers/certs.d/$registry" "$work" 2>/dev/null
}
trap finish EXIT
trap 'exit 130' INT TERM

say "a network namespace with a link and no default route"
ip netns add $name
ip link add ${name:0:12}0 type veth peer name far0 netns $name
ip addr add $near/30 dev ${name:0:12}0
ip link set ${name:0:12}0 up
far ip addr add $far/30 dev far0
far ip link set far0 up
far ip link set lo up
far ip route

say "a registry with a private authority and a login"
"${anyrunner[@]}" certs create "$work/certs" --host "${registry%:*}" >/dev/null
htpasswd -Bbc "$work/htpasswd" ci "s3cret-of-ci" 2>/dev/null
cat >"$work/registry.yml" <<YML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "$far:5443", tls: {certificate: $work/certs/server.pem, key: $work/certs/server.pem}}
auth: {htpasswd: {realm: far, path: $work/htpasswd}}
YML
nsenter "--net=/run/netns/$name" docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
pids+=($!)
mkdir -p "/etc/containers/certs.d/$registry"
cp "$work/certs/ca.pem" "/etc/containers/certs.d/$registry/ca.crt"
sleep 2
far skopeo --insecure-policy copy -q --format oci --dest-compress-format zstd --dest-compress-level 1 --dest-creds ci:s3cret-of-ci \
  "docker-daemon:$engine_image" "docker://$registry/engine:$tag"

say "Podman's API and sshd"
cat >"$work/containers.conf" <<CONF
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
[containers]
default_ulimits = ["nofile=20000:20000","nproc=4096:4096"]
CONF
CONTAINERS_CONF=$work/containers.conf nsenter "--net=/run/netns/$name" podman --root "$work/storage" --runroot "$work/run" system service --time=0 "unix://$socket" >"$work/podman.log" 2>&1 &
pids+=($!)
mkdir -p /run/sshd "$work/engine"
for key in host id; do ssh-keygen -q -t ed25519 -N '' -f "$work/$key"; done
cp "$work/id.pub" "$work/authorized_keys"
cat >"$work/sshd_config" <<SSHD
ListenAddress $far:22
HostKey $work/host
AuthorizedKeysFile $work/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
SSHD
start_sshd() {
  # No function, whose process would be a shell.
  nsenter "--net=/run/netns/$name" /usr/sbin/sshd -D -e -f "$work/sshd_config" 2>>"$work/sshd.log" &
  sshd=$!
  pids+=("$sshd")
  sleep 1
}
start_sshd
echo "$far $(cut -d' ' -f1,2 "$work/host.pub")" >"$work/known_hosts"
cat >"$work/ssh_config" <<SSH
Host far
  HostName $far
  User $(id -un)
  IdentityFile $work/id
  IdentitiesOnly yes
  UserKnownHostsFile $work/known_hosts
SSH

# The user's own ssh is used; here it gets a home of its own.
mkdir -p "$work/bin" "$work/home" "$work/docker"
printf '#!/bin/sh\nexec /usr/bin/ssh -F %s "$@"\n' "$work/ssh_config" >"$work/bin/ssh"
chmod +x "$work/bin/ssh"
login() { printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" "$(printf %s "$1" | base64 -w0)" >"$work/docker/config.json"; }
login ci:s3cret-of-ci
client() {
  env HOME="$work/home" XDG_CONFIG_HOME="$work/home/.config" DOCKER_CONFIG="$work/docker" DOCKER_HOST="ssh://far$socket" PATH="$work/bin:$PATH" \
    DO_NOT_TRACK=1 "${anyrunner[@]}" "$@"
}
image="docker-image://$registry/engine:$tag?container=anyrunner-test-far&mount=$work/engine:/run/dagger"
sshd_children() { pgrep -P "$sshd" 2>/dev/null | wc -l; }
logins() { grep -c 'Accepted publickey' "$work/sshd.log" || true; }
leftovers() {
  echo "ssh processes: $(pgrep -fc "$work/ssh_config" || true), connections at sshd: $(sshd_children), folders: $(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'anyrunner-ssh-*' -newer "$work/ssh_config" | wc -l)"
}
timed() {
  local start=$EPOCHREALTIME status=0
  "$@" || status=$?
  awk -v a="$start" -v b="$EPOCHREALTIME" -v s=$status 'BEGIN { printf "-- exit code %d after %.1f s\n", s, b - a }'
}
version() { echo '{version}' | client query --runner "$1"; }

say "a wrong login"
login ci:wrong
timed version "$image"
login ci:s3cret-of-ci

say "a registry whose authority the far machine doesn't know"
mv "/etc/containers/certs.d/$registry/ca.crt" "$work/ca.away"
timed version "$image"
mv "$work/ca.away" "/etc/containers/certs.d/$registry/ca.crt"

say "engine made by Docker over ssh from the registry"
before=$(logins)
timed version "$image"
echo "logins at sshd: $(($(logins) - before))"
podman_far ps --format '{{.Names}} {{.Image}} {{.Status}}'
leftovers

say "the same engine through its socket"
engine=ssh://far$work/engine/engine.sock
timed version "$engine"

twenty() {
  local before most=0 failed=0 jobs=()
  before=$(logins)
  for run in $(seq 20); do
    (cd "$root/examples/hello" && client run --runner "$1" -- node main.ts) >"$work/run.$run" 2>&1 &
    jobs+=($!)
  done
  while [ "$(jobs -rp | grep -cxFf <(printf '%s\n' "${jobs[@]}"))" -gt 0 ]; do
    now=$(sshd_children)
    [ "$now" -gt "$most" ] && most=$now
    sleep 0.2
  done
  for job in "${jobs[@]}"; do wait "$job" || failed=$((failed + 1)); done
  echo "failed: $failed of 20, outputs: $(cat "$work"/run.* | grep -c 'Hello from a container'), logins at sshd: $(($(logins) - before)), connections at once: $most"
  [ "$failed" = 0 ] || grep -h -m1 '^error' "$work"/run.* | sort | uniq -c
  leftovers
}
say "20 runs at once through $engine"
timed twenty "$engine"
say "20 runs at once through docker-image over ssh"
timed twenty "$image"

say "the host key changed"
kill "$sshd"
wait "$sshd" || true
rm "$work"/host "$work"/host.pub
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
start_sshd
timed version "$engine"
timed version "$image"
echo "$far $(cut -d' ' -f1,2 "$work/host.pub")" >"$work/known_hosts"
leftovers

say "the network is cut while a step of 120 s runs"
(cd "$root/examples/hello" && timed client run --runner "$engine" -- node --input-type=module -e '
  import { connection, dag } from "@dagger.io/dagger";
  await connection(async () => {
    await dag.container().withRootfs(dag.host().directory("rootfs")).withEnvVariable("NOW", String(Date.now())).withExec(["sleep", "120"]).sync();
  });
') >"$work/cut" 2>&1 &
cut=$!
sleep 8
far iptables -A INPUT -i far0 -j DROP
far iptables -A OUTPUT -o far0 -j DROP
echo "cut at $(date -u +%T)"
wait $cut
grep -v '^ ' "$work/cut" | tail -n 5
leftovers

say "a dial into the cut network"
timed version "$engine"
leftovers
