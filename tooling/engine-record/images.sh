#!/usr/bin/env bash
# Builds images of a real engine by every strategy, runs an engine of each, and pushes one to a registry: the record docs/engines/images.md.
# examples/hello has to have its rootfs, as scripts/hello makes it.
# Usage: images.sh ENGINE_IMAGE ANYRUNNER…   ENGINE_IMAGE is one that Docker has, of Debian; docker-registry and openssl have to be installed.
# The base images for `rebase` and `packages` are made of the engine's own image, since no other registry is asked.
set -euo pipefail
engine=$1
shift
anyrunner=("$@")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
name="anyrunner-test-image-$$"
work=$(mktemp -d)
port=${REGISTRY_PORT:-5077}
export XDG_CONFIG_HOME="$work/config" DOCKER_CONFIG="$work/docker"

cleanup() {
  for strategy in overlay packages rebase; do
    docker rm -fv "$name-$strategy" > /dev/null 2>&1 || true
    docker volume rm "$name-$strategy" > /dev/null 2>&1 || true
    docker rmi -f "$name:$strategy" > /dev/null 2>&1 || true
  done
  docker rmi -f "$name:bare" "$name:apk" "127.0.0.1:$port/engine:own" > /dev/null 2>&1 || true
  if [ -n "${registry:-}" ]; then kill "$registry" 2> /dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

cd "$work"
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj "/CN=Example Root" -days 30 2> /dev/null
echo '{"registries":{"registry.example.com":{"http":true}}}' > engine.json

# A base without the engine's programs, and one in which apk has nothing to do.
printf 'FROM %s\nRUN rm -rf /usr/local/bin/* /opt/cni /usr/bin/buildctl /usr/bin/dial-stdio /usr/local/share/dagger /etc/dagger /usr/bin/xtables-*\nENTRYPOINT []\n' "$engine" | docker build -q -t "$name:bare" - > /dev/null
printf 'FROM %s\nRUN printf "#!/bin/sh\\n" > /usr/local/bin/apk && chmod +x /usr/local/bin/apk\n' "$engine" | docker build -q -t "$name:apk" - > /dev/null

common=(--pull never --ca ca.pem --config engine.json --env 'EXAMPLE=a "b" $c')
build() {
  echo "== build: $1"
  "${anyrunner[@]}" image build "$engine" "${common[@]}" --tag "$name:$1" -q "${@:2}"
  "${anyrunner[@]}" image verify "$name:$1"
}
build overlay
build packages --strategy packages --base "$name:apk" --package sqlite3=/usr/bin/sqlite3
build rebase --base "$name:bare" --installer none

for strategy in overlay packages rebase; do
  echo "== run: $strategy"
  url="docker-image://$name:$strategy?pull=never&container=$name-$strategy"
  echo '{ version }' | "${anyrunner[@]}" query -q --runner "$url"
  (cd "$root/examples/hello" && "${anyrunner[@]}" run -q --runner "$url" -- node main.ts)
  docker exec "$name-$strategy" sh -c 'cat /etc/dagger/engine.json; echo; echo "$EXAMPLE"; ls /usr/local/share/ca-certificates; readlink /etc/ssl/certs/example-root*.pem'
  docker rm -fv "$name-$strategy" > /dev/null
done

echo "== push"
printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s/registry}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$work" "$port" > registry.yml
docker-registry serve registry.yml > registry.log 2>&1 &
registry=$!
until curl -sf "http://127.0.0.1:$port/v2/" > /dev/null; do kill -0 "$registry"; done
docker tag "$name:overlay" "127.0.0.1:$port/engine:own"
"${anyrunner[@]}" image push "127.0.0.1:$port/engine:own" -q
docker rmi "127.0.0.1:$port/engine:own" > /dev/null
echo "== built from the registry: the name is pinned"
"${anyrunner[@]}" image containerfile "127.0.0.1:$port/engine:own" --config engine.json -q
