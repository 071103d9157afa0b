import { RunnerError, type CallOptions, type ErrorCode } from "@anyrunner/core/driver";
import type { EngineContainerPlan, EngineImage } from "@anyrunner/engine-container";

import { cliWords, commandFailure, knownFailure } from "./command-failure.ts";
import type { CommandResult, ContainerCli } from "./container-cli.ts";
import { NO_IMAGE } from "./known-failure.ts";

export interface PullOptions extends CallOptions {
  readonly pull: EngineImage["pull"];
  /** Of a pull as a whole, in ms. Default 600,000. */
  readonly pullBudgetMs?: number | undefined;
}

/** Of a pull as a whole, as the official client has it for all of provisioning. */
const PULL_BUDGET_MS = 600_000;

/** Pulls the image unless it is there. Fails with NOT_FOUND when it must not be pulled, else as `pullImage`. */
export async function requireImage(cli: ContainerCli, plan: EngineContainerPlan, options: PullOptions): Promise<void> {
  if (await hasImage(cli, plan.image, options)) return;
  if (options.pull === "never") {
    throw new RunnerError("NOT_FOUND", `${cli.runtime.title} has no image ${plan.image}, and must not pull it (pull=never)`, {
      hint: "load the image, or leave pull=never away",
      driver: cli.runtime.name,
      details: { image: plan.image },
    });
  }
  await pullImage(cli, plan, options);
}

/** Pulls the image with the CLI's own logins. Fails with IMAGE_PULL_FAILED, AUTH_FAILED, TIMEOUT, ABORTED. */
export async function pullImage(cli: ContainerCli, { image, platform }: EngineContainerPlan, options: PullOptions): Promise<void> {
  const { report, signal } = options;
  const message = `pulling ${image} with ${cli.runtime.command}`;
  report?.({ type: "progress", id: "image-pull", message });
  const budgetMs = options.pullBudgetMs ?? PULL_BUDGET_MS;
  const result = await cli.attempt(cli.runtime.grammar.pull(image, { platform }), { signal, doing: `pull ${image}`, budgetMs });
  if (result.exitCode !== 0) throw pullFailure(cli, image, result);
  report?.({ type: "progress", id: "image-pull", message, done: true });
}

async function hasImage(cli: ContainerCli, image: string, options: CallOptions): Promise<boolean> {
  const doing = `look for the image ${image}`;
  const result = await cli.attempt(cli.runtime.grammar.inspectImage(image), { ...options, doing });
  // Some say that there is none by an empty list.
  if (result.exitCode === 0) return result.stdout.trim() !== "[]";
  if (knownFailure(cli.runtime, result) !== undefined) throw commandFailure(cli, result, doing);
  // Apple's has no words of its own for it.
  if (NO_IMAGE.test(result.stderr) || cli.runtime.name === "apple") return false;
  throw commandFailure(cli, result, doing);
}

function pullFailure(cli: ContainerCli, image: string, result: CommandResult): RunnerError {
  const words = cliWords(result.stderr);
  const { code, hint } = explainPullFailure(words, cli.runtime);
  return new RunnerError(code, `${cli.runtime.command} can't pull ${image}: ${words}`, { hint, driver: cli.runtime.name, details: { image, output: words } });
}

/** What the words of a CLI that could not pull mean. */
export function explainPullFailure(
  words: string,
  runtime: Pick<ContainerCli["runtime"], "command" | "name">,
): { readonly code: ErrorCode; readonly hint: string } {
  if (/no space left on device|disk quota exceeded/i.test(words))
    return { code: "IMAGE_PULL_FAILED", hint: `make room on its disk: anyrunner du, anyrunner prune, ${runtime.command} system prune` };
  if (/unauthorized|authentication required|access.*denied|403|denied: /i.test(words)) {
    return { code: "AUTH_FAILED", hint: `log in: ${runtime.command} ${runtime.name === "apple" ? "registry " : ""}login REGISTRY` };
  }
  if (/short-name|unqualified-search/i.test(words))
    return { code: "IMAGE_PULL_FAILED", hint: "write the image with its registry, such as docker.io/library/NAME:TAG" };
  if (/no such host|connection refused|timeout|network is unreachable|dial tcp/i.test(words)) {
    return {
      code: "IMAGE_PULL_FAILED",
      hint: `check the registry's name and the network; or bring the image: ${runtime.command} ${runtime.name === "apple" ? "image " : ""}load`,
    };
  }
  if (/server gave HTTP response to HTTPS client/i.test(words)) {
    const where = runtime.name === "podman" ? " (insecure = true in registries.conf)" : "";
    return { code: "IMAGE_PULL_FAILED", hint: `the registry speaks plain HTTP: give it TLS, or let ${runtime.command} use it all the same${where}` };
  }
  if (/certificate|x509/i.test(words)) return { code: "IMAGE_PULL_FAILED", hint: `let ${runtime.command} trust the registry's certificate authority` };
  return { code: "IMAGE_PULL_FAILED", hint: "check the image's name and tag" };
}
