import { measure } from "./measure.ts";
import { pair, type PairResult } from "./pair.ts";
import type { BenchSettings } from "./settings.ts";

/** `anyrunner --version` against bare Node. */
export async function benchStartUp({ anyrunner, runs }: BenchSettings): Promise<readonly PairResult[]> {
  return [
    await pair({
      name: "--version / node -e 0",
      runs: runs * 2,
      target: 1.5,
      ours: () => measure({ argv: [process.execPath, anyrunner, "--version"] }),
      peer: () => measure({ argv: [process.execPath, "-e", "0"] }),
    }),
  ];
}
