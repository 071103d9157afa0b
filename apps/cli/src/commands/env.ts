import { formatProvenance, formatRunnerUrl, parseRunnerUrl, RunnerError, type Provenance } from "@anyrunner/core";
import { resolveDockerEndpoint } from "@anyrunner/docker-endpoint";

import { chooseCliRunner } from "../choose-cli-runner.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../format-table.ts";

interface Fact {
  readonly name: string;
  /** `null` when there is none. */
  readonly value: string | null;
  readonly from?: Provenance | undefined;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string | undefined } | undefined;
}

/** Shows which runner would be used, and which Docker, and who says so. Asks nothing on the network. */
export async function envCommand(context: CommandContext, { runner }: { readonly runner?: string | undefined }): Promise<number> {
  const facts = [await runnerFact(context, runner), await dockerFact(context)];
  const settings = { workdir: context.cwd, progress: context.progress };
  if (context.json) {
    context.print(JSON.stringify({ ...Object.fromEntries(facts.map(({ name, ...fact }) => [name, fact])), ...settings }, undefined, 2));
    return EXIT.success;
  }
  const rows = facts.map(({ name, value, from, error }) => [
    name,
    value ?? "none",
    from === undefined ? (error?.message ?? "") : `from ${formatProvenance(from)}`,
  ]);
  for (const line of formatTable([], [...rows, ["workdir", settings.workdir, ""]])) context.print(line.trimEnd());
  for (const { error } of facts) if (error?.hint !== undefined) context.note(`hint: ${error.hint}`);
  return EXIT.success;
}

async function runnerFact(context: CommandContext, flag: string | undefined): Promise<Fact> {
  try {
    const { chosen } = await chooseCliRunner(context, flag);
    const value = chosen.kind === "session" ? `session on 127.0.0.1:${chosen.port}` : formatRunnerUrl(parseRunnerUrl(chosen.url));
    return { name: "runner", value, from: chosen.from };
  } catch (error) {
    return failed("runner", error);
  }
}

async function dockerFact({ env }: CommandContext): Promise<Fact> {
  try {
    const endpoint = await resolveDockerEndpoint({ env });
    return { name: "docker", value: endpoint.host, from: endpoint.from };
  } catch (error) {
    return failed("docker", error);
  }
}

/** Having none is an answer here; anything else that is wrong is shown in its place, too. */
function failed(name: string, error: unknown): Fact {
  if (!RunnerError.is(error)) throw error;
  return { name, value: null, error: { code: error.code, message: error.message, hint: error.hint } };
}
