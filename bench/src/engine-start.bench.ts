import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { measure } from "./measure.ts";
import { pair, type PairResult } from "./pair.ts";
import type { BenchSettings } from "./settings.ts";

/** From an image that is there, and neither container nor volume, to the first answer, as whole processes. */
export async function benchEngineStart({ anyrunner, dagger, runs }: BenchSettings): Promise<readonly PairResult[]> {
  const image = process.env["ANYRUNNER_BENCH_ENGINE_IMAGE"];
  if (dagger === undefined || image === undefined) return [];
  const names = { ours: `anyrunner-bench-ours-${process.pid}`, peer: `anyrunner-bench-peer-${process.pid}` };
  // The official client removes engines of others unless it is told not to.
  const env = (name: string, rest = "") => ({
    _EXPERIMENTAL_DAGGER_RUNNER_HOST: `image+docker://${image}?container=${name}&volume=${name}${rest}`,
    DAGGER_NO_NAG: "1",
    DO_NOT_TRACK: "1",
  });
  const run = async (name: string, argv: readonly [string, ...string[]], rest?: string) => {
    await remove(name);
    const sample = await measure({ argv, env: env(name, rest), stdin: "{version}" });
    await remove(name);
    return sample;
  };
  return [
    await pair({
      name: "docker-image: image present to first answer",
      runs,
      target: 0.7,
      ours: () => run(names.ours, [process.execPath, anyrunner, "query"]),
      peer: () => run(names.peer, [dagger, "--progress", "plain", "query"], "&cleanup=false"),
    }),
  ];
}

async function remove(name: string): Promise<void> {
  const docker = promisify(execFile);
  await docker("docker", ["rm", "--force", "--volumes", name]).catch(() => {});
  await docker("docker", ["volume", "rm", name]).catch(() => {});
}
