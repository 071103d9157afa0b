import { fileURLToPath } from "node:url";

/** What a bench run is told by its environment. */
export interface BenchSettings {
  /** The built `anyrunner`. */
  readonly anyrunner: string;
  /** `ANYRUNNER_BENCH_DAGGER`: the official CLI. Without it the comparisons with it are left out. */
  readonly dagger: string | undefined;
  /** `ANYRUNNER_BENCH_ENGINE`: a runner URL that both clients understand. */
  readonly engine: string | undefined;
  /** `ANYRUNNER_BENCH_RUNS`: counted runs of each side. Default 9. */
  readonly runs: number;
}

export function readSettings(env: NodeJS.ProcessEnv = process.env): BenchSettings {
  return {
    anyrunner: env["ANYRUNNER_BENCH_CLI"] ?? fileURLToPath(new URL("../../apps/cli/dist/bin.js", import.meta.url)),
    dagger: env["ANYRUNNER_BENCH_DAGGER"],
    engine: env["ANYRUNNER_BENCH_ENGINE"],
    runs: Number(env["ANYRUNNER_BENCH_RUNS"] ?? 9),
  };
}

/** Environment in which both clients use the same engine and neither reports home. */
export function clientEnvironment(engine: string): Record<string, string> {
  return { _EXPERIMENTAL_DAGGER_RUNNER_HOST: engine, DAGGER_NO_NAG: "1", DO_NOT_TRACK: "1", DAGGER_NO_UPDATE_CHECK: "1" };
}
