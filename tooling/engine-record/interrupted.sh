#!/bin/bash
# Interrupts `anyrunner run` in the middle of a step: SIGINT once, SIGINT twice, SIGTERM, SIGKILL. Says how it ends, and what is left.
# Linux with Docker. ROOTFS is a folder with a shell. ENGINE is the container of the engine, or empty for embedded://.
# usage: interrupted.sh RUNNER_URL ROOTFS ENGINE [ANYRUNNER...]
set -u

runner=$1 rootfs=$2 engine=$3
shift 3
anyrunner=("${@:-anyrunner}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/program.mjs" <<'JS'
const [onInterrupt, rootfs, mark] = process.argv.slice(2);
if (onInterrupt !== "default") process.on("SIGINT", () => { if (onInterrupt === "end") process.exit(5); });
const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = process.env;
const ask = async (query) => {
  const headers = { "content-type": "application/json", authorization: "Basic " + btoa(token + ":") };
  return (await fetch("http://127.0.0.1:" + port + "/query", { method: "POST", headers, body: JSON.stringify({ query }) })).json();
};
const { data } = await ask("{host{directory(path:" + JSON.stringify(rootfs) + "){id}}}");
const id = JSON.stringify(data.host.directory.id);
console.log(process.pid + " " + port);
const exec = 'withExec(args:["sh","-c","sleep ' + mark + '"]){stdout}';
await ask("{container{withRootfs(directory:" + id + "){" + exec + "}}}");
JS

# Processes of the step, wherever they run; the engine's containers are processes of this machine, too.
steps() { pgrep -xfc "sleep $1" || true; }
containers() { docker ps -aq --filter label=anyrunner.owner=embedded | xargs -r docker inspect -f '{{index .Config.Labels "anyrunner.process"}}' | grep -c "/$1/" || true; }
# Of what the container's init has started.
descriptors() { [ -z "$engine" ] && echo - || ls "/proc/$(pgrep -oP "$(docker inspect -f '{{.State.Pid}}' "$engine")")/fd" | wc -l; }
echo "| what | exit code | it ended after | steps, containers and programs left, 10 s later | the port | descriptors of the engine before and after |"
echo "| --- | --- | --- | --- | --- | --- |"
interrupt() {
  local name=$1 behaviour=$2 mark=$((RANDOM + 100000))
  shift 2
  local before
  before=$(descriptors)
  setsid "${anyrunner[@]}" run --silent --runner "$runner" --cleanup-timeout 60s -- node "$work/program.mjs" "$behaviour" "$rootfs" $mark >"$work/out" 2>&1 </dev/null &
  local pid=$! program port
  until [ "$(steps $mark)" != 0 ]; do sleep 0.2; done
  read -r program port <"$work/out"
  local started=$EPOCHREALTIME
  for signal; do
    kill "-$signal" $pid
    sleep 0.5
  done
  [ "$signal" = KILL ] && kill -KILL "$program"
  wait $pid
  local code=$? ended=$EPOCHREALTIME
  sleep 10
  local programs=0 answer=closed
  [ -d "/proc/$program" ] && programs=1
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && answer=open
  echo "| $name | $code | $(awk -v a="$started" -v b="$ended" 'BEGIN { printf "%.1f s", b - a }') | $(steps $mark), $(containers $pid), $programs | $answer | $before, $(descriptors) |"
}
interrupt "SIGINT, the program ends by itself with 5" end INT
interrupt "SIGINT twice, the program goes on" ignore INT INT
interrupt SIGTERM default TERM
interrupt "SIGKILL of anyrunner" default KILL
