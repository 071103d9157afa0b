import { measure } from "./measure.ts";
import { pair, type PairResult } from "./pair.ts";
import { clientEnvironment, type BenchSettings } from "./settings.ts";

/** Connect, first query and orderly end, as whole processes. */
export async function benchFirstQuery({ anyrunner, dagger, engine, runs }: BenchSettings): Promise<readonly PairResult[]> {
  if (dagger === undefined || engine === undefined) return [];
  const env = clientEnvironment(engine);
  const stdin = "{version}";
  return [
    await pair({
      name: "connect + first query",
      runs: runs * 2,
      target: 0.5,
      ours: () => measure({ argv: [process.execPath, anyrunner, "query"], env, stdin }),
      peer: () => measure({ argv: [dagger, "--progress", "plain", "query"], env, stdin }),
    }),
  ];
}
