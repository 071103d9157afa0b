import { styleText } from "node:util";

import cli from "@anyrunner/cli/package.json" with { type: "json" };
import { RunnerError } from "@anyrunner/core";

import { cleanUp } from "./clean-up.ts";
import { setUp } from "./set-up.ts";
import { createWorkflow } from "./workflow-commands.ts";

// One file for both halves: the runner starts it again after the job, and then there is a state.
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => stopping.abort(new RunnerError("ABORTED", "cancelled", { cause: new Error(signal) })));
const workflow = createWorkflow({ env: process.env, write: (line) => void process.stdout.write(`${line}\n`) });
const isPost = process.env["STATE_folder"] !== undefined;
try {
  await (isPost ? cleanUp({ workflow, signal: stopping.signal }) : setUp({ workflow, version: cli.version, signal: stopping.signal }));
} catch (value) {
  const error = RunnerError.from(value, "INTERNAL");
  const hint = error.hint === undefined ? "" : `\nhint: ${error.hint}`;
  // A job whose work is done isn't failed by its end.
  workflow.annotate(isPost ? "warning" : "error", error.code, `${error.message}${hint}`);
  if (error.code === "INTERNAL" && value instanceof Error) workflow.print(styleText("dim", value.stack ?? ""));
  if (!isPost) process.exitCode = 1;
}
