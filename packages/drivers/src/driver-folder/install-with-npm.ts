import { RunnerError } from "@anyrunner/core";
import { runProgram } from "@anyrunner/exec";

import type { InstallPackage } from "./add-driver.ts";

const BUDGET_MS = 600_000;

/** `npm install` of one package at its exact version; no script of it or of its dependencies runs. Fails with NOT_AVAILABLE, NOT_FOUND or COMMAND_FAILED. */
export function installWithNpm(env: Readonly<Record<string, string | undefined>>): InstallPackage {
  return async ({ prefix, spec, signal }) => {
    const args = [
      "install",
      "--save-exact",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--no-update-notifier",
      "--omit=dev",
      "--no-global",
      "--prefix",
      prefix,
      "--",
      spec,
    ];
    const { exitCode, stderr } = await runProgram({
      command: process.platform === "win32" ? "npm.cmd" : "npm",
      args,
      cwd: prefix,
      env,
      signal,
      timeoutMs: BUDGET_MS,
    }).catch((error: unknown) => {
      if (!RunnerError.is(error) || error.code !== "NOT_FOUND") throw error;
      throw new RunnerError("NOT_AVAILABLE", "npm, which installs drivers, is not on PATH", { hint: "install Node.js with npm", cause: error });
    });
    if (exitCode === 0) return;
    if (/\bE404\b|\bETARGET\b/.test(stderr)) {
      throw new RunnerError("NOT_FOUND", `the registry has no ${spec}`, { hint: "check name and version: npm view PACKAGE versions" });
    }
    throw new RunnerError("COMMAND_FAILED", `npm install ${spec} ended with ${exitCode}: ${lastLine(stderr)}`, {
      hint: "nothing was changed; mend what npm says and try again",
      details: { exitCode, stderr },
    });
  };
}

function lastLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.startsWith("npm error") && !line.includes("A complete log"));
  return (lines.at(0) ?? text.trim().split("\n").at(-1) ?? "").replace(/^npm error /, "");
}
