import { benchEmbedded } from "./embedded.bench.ts";
import { benchEngineStart } from "./engine-start.bench.ts";
import { benchExecStream } from "./exec-stream.bench.ts";
import { benchKubePod } from "./kube-pod.bench.ts";
import { benchExport } from "./export.bench.ts";
import type { PairResult } from "./pair.ts";
import { benchParallel } from "./parallel.bench.ts";
import { benchPodman } from "./podman.bench.ts";
import { benchProgramDriver } from "./program-driver.bench.ts";
import { benchFirstQuery } from "./query.bench.ts";
import { readSettings } from "./settings.ts";
import { benchSockets } from "./sockets.bench.ts";
import { benchSsh } from "./ssh.bench.ts";
import { benchStartUp } from "./start-up.bench.ts";
import { benchUpload } from "./upload.bench.ts";

const BENCHES = {
  "start-up": benchStartUp,
  query: benchFirstQuery,
  upload: benchUpload,
  export: benchExport,
  parallel: benchParallel,
  "exec-stream": benchExecStream,
  embedded: benchEmbedded,
  "engine-start": benchEngineStart,
  ssh: benchSsh,
  sockets: benchSockets,
  "kube-pod": benchKubePod,
  podman: benchPodman,
  "program-driver": benchProgramDriver,
} as const;

const settings = readSettings();
const wanted = process.argv.slice(2);
if (settings.dagger === undefined || settings.engine === undefined) {
  console.error("without ANYRUNNER_BENCH_DAGGER and ANYRUNNER_BENCH_ENGINE the comparisons with the official client are left out");
}
console.log("| bench | ours | peer | ratio | target | peak MiB, ours / peer | runs |\n| --- | --- | --- | --- | --- | --- | --- |");
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const result of await bench(settings)) console.log(row(result));
}

function row({ name, oursMs, peerMs, ratio, target, oursMiB, peerMiB, runs, unit = "ms" }: PairResult): string {
  const memory = oursMiB === 0 ? "-" : `${oursMiB.toFixed(0)} / ${peerMiB.toFixed(0)}`;
  return `| ${name} | ${oursMs.toFixed(1)} ${unit} | ${peerMs.toFixed(1)} ${unit} | ${ratio.toFixed(2)}${ratio <= target ? "" : " (missed)"} | ${target} | ${memory} | ${runs} |`;
}
