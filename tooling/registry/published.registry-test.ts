import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { startConformanceServer } from "@anyrunner/testkit";
import { expect, inject, test } from "vitest";

import { openUserShell } from "./user-shell.ts";

/** Where a cluster is at hand, the driver is used on it; and where an engine runs there (`kube-pod://…`), it must answer. */
const kubeconfig = process.env["ANYRUNNER_TEST_KUBECONFIG"];
const engineUrl = process.env["ANYRUNNER_TEST_ENGINE"]?.startsWith("kube-") === true ? process.env["ANYRUNNER_TEST_ENGINE"] : undefined;

interface CliError {
  readonly error: { readonly code: string; readonly message: string; readonly driver?: string; readonly details?: { readonly install?: string } };
}

test("the command alone, a scheme that it lacks: it names the command that adds it, and after that the driver answers", async () => {
  await using shell = openUserShell(inject("registry"));
  const installed = await shell.run("npm init --yes >/dev/null\nnpm install --save-dev @anyrunner/cli");
  expect(installed.exitCode, installed.output).toBe(0);
  expect(readdirSync(path.join(shell.cwd(), "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["@anyrunner"]);
  expect(readdirSync(path.join(shell.cwd(), "node_modules/@anyrunner"))).toEqual(["cli"]);

  const ask = (url: string) =>
    shell.run(`npx anyrunner query --json --runner '${url}'`, { input: "{ version }", env: { KUBECONFIG: kubeconfig ?? "/no/such/kubeconfig" } });
  const query = async (): Promise<CliError["error"]> => {
    const { output } = await ask("kube-pod://anyrunner-test-no-such");
    const line = output.split("\n").find((one) => one.startsWith('{"error"'));
    if (line === undefined) throw new Error(`no error: ${output}`);
    return (JSON.parse(line) as CliError).error;
  };
  const missing = await query();
  expect(missing).toMatchObject({ code: "DRIVER_NOT_INSTALLED", details: { install: "anyrunner drivers add kubernetes" } });

  // A repository doesn't choose where the user's drivers come from.
  writeFileSync(path.join(shell.cwd(), ".npmrc"), "registry=http://127.0.0.1:1/\n@anyrunner:registry=http://127.0.0.1:1/\n");
  const added = await shell.run(`npx ${missing.details?.install ?? ""}`);
  expect(added.exitCode, added.output).toBe(0);
  expect(added.output).toMatch(/@anyrunner\/driver-kubernetes \d+\.\d+\.\d+ may run as the driver of kube-pod:\/\/, kube-image:\/\//);
  expect(added.output).toContain("sha512-");

  const answered = await query();
  expect(answered).toMatchObject({
    driver: "kubernetes",
    code: kubeconfig === undefined ? expect.not.stringMatching(/^(DRIVER_|INTERNAL)/) : "NOT_FOUND",
  });
  if (engineUrl !== undefined) expect((await ask(engineUrl)).output).toMatch(/"version": ?"v\d/);

  const listed = await shell.run("npx anyrunner drivers --check");
  expect(listed.output).toMatch(/^kubernetes +ready +@anyrunner\/driver-kubernetes \d+\.\d+\.\d+ \(driver folder, interface 1\)$/m);

  const removed = await shell.run("npx anyrunner drivers rm kubernetes");
  expect(removed.exitCode, removed.output).toBe(0);
  expect((await query()).code).toBe("DRIVER_NOT_INSTALLED");
});

/** All of it. */
const PROGRAM = `
import { createRegistry, openRunner } from "@anyrunner/core";

const registry = createRegistry([
  { name: "socket", schemes: ["unix", "tcp"], origin: "@anyrunner/driver-socket", load: () => import("@anyrunner/driver-socket") },
]);
const runner = await openRunner(process.argv[2], { registry });
const { stream, closed } = await runner.connect();
stream.setEncoding("utf8");
stream.write("ECHO\\n");
stream.end("hello, engine\\n");
for await (const text of stream) process.stdout.write(text);
console.log((await closed).kind);
`;

test("one driver alone, in a program of its own", async () => {
  await using shell = openUserShell(inject("registry"));
  await using engine = await startConformanceServer();
  writeFileSync(path.join(shell.cwd(), "main.mjs"), PROGRAM);
  const result = await shell.run(`npm init --yes >/dev/null\nnpm install @anyrunner/core @anyrunner/driver-socket\nnode main.mjs tcp://${engine.address}`);
  expect(result.exitCode, result.output).toBe(0);
  expect(result.output).toContain("hello, engine\nend\n");
  expect(readdirSync(path.join(shell.cwd(), "node_modules/@anyrunner"))).toEqual(["core", "driver-socket"]);
  expect(PROGRAM.trim().split("\n").length).toBeLessThanOrEqual(20);
});
