import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { expect } from "vitest";

import type { GuideStep } from "./guide-steps.ts";
import type { UserShell } from "./user-shell.ts";

/** Does what a page says, step by step, as its reader would; `serve` leaves a command running. Gives what the commands printed. */
export async function followGuide(shell: UserShell, steps: readonly GuideStep[], serve: (line: string) => Promise<unknown>): Promise<string> {
  const outputs: string[] = [];
  for (const step of steps) {
    if (step.kind === "write") {
      const file = path.join(shell.cwd(), step.file);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, step.text);
    } else if (step.kind === "serve") {
      await serve(step.text);
    } else {
      const { exitCode, output } = await shell.run(step.text);
      outputs.push(output);
      if (step.fails === undefined) expect(exitCode, `${step.text}\n${output}`).toBe(0);
      else expect({ failed: exitCode !== 0, output }).toEqual({ failed: true, output: expect.stringContaining(step.fails) });
    }
  }
  return outputs.join("\n");
}
