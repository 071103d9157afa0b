import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "./test-attachables.ts";

/** How a program was called. */
export interface ShimCall {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
}

export interface ShimAnswer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

/**
 * Stand-ins that write down how they were called and answer the same each time, by program name, on a PATH that has nothing else. They
 * are never the real programs: what those would answer is not tested with them.
 */
export function makeProgramShims(answers: Readonly<Record<string, ShimAnswer>>) {
  const folder = makeDirectory();
  const log = join(folder, "calls");
  mkdirSync(join(folder, "bin"));
  for (const [program, { stdout = "", stderr = "", exitCode = 0 }] of Object.entries(answers)) {
    const script = `#!${process.execPath}
const { appendFileSync, readFileSync, writeSync } = require("node:fs");
const call = { program: ${JSON.stringify(program)}, args: process.argv.slice(2), env: process.env, input: readFileSync(0, "utf8") };
appendFileSync(${JSON.stringify(log)}, JSON.stringify(call) + "\\n");
writeSync(2, ${JSON.stringify(stderr)});
writeSync(1, ${JSON.stringify(stdout)});
process.exitCode = ${exitCode};
`;
    writeFileSync(join(folder, "bin", program), script);
    chmodSync(join(folder, "bin", program), 0o755);
  }
  return {
    env: { PATH: join(folder, "bin") },
    calls: (): readonly ShimCall[] => {
      const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n") : [];
      return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as ShimCall);
    },
  };
}
