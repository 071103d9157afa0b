import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createDockerClient, resolveDockerEndpoint, type DockerClient } from "@anyrunner/docker-endpoint";
import { makeBusyboxRootfs } from "@anyrunner/testkit";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { createCliHarness, type CliHarness, type RunningCli } from "../test-cli.ts";

/** Asks for a step that lasts for ten minutes. The first argument says what SIGINT does. */
const PROGRAM = `
const [onInterrupt, rootfs] = process.argv.slice(2);
if (onInterrupt !== "default") process.on("SIGINT", () => { console.log("got it"); if (onInterrupt === "end") process.exit(5); });
const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = process.env;
const ask = async (query) => {
  const headers = { "content-type": "application/json", authorization: "Basic " + btoa(token + ":") };
  return (await fetch("http://127.0.0.1:" + port + "/query", { method: "POST", headers, body: JSON.stringify({ query }) })).json();
};
const { data } = await ask("{host{directory(path:" + JSON.stringify(rootfs) + "){id}}}");
console.log("program " + process.pid + " port " + port + ".");
const id = JSON.stringify(data.host.directory.id);
const mark = JSON.stringify(String(process.pid));
await ask('{container{withRootfs(directory:' + id + '){withEnvVariable(name:"MARK",value:' + mark + '){withExec(args:["sleep","600"]){stdout}}}}}');
`;

describe.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")(
  "a run on the embedded runner (left out with ANYRUNNER_TEST_DOCKER=skip)",
  { timeout: 240_000 },
  () => {
    let cli: CliHarness;
    let docker: DockerClient;
    beforeAll(async () => {
      cli = await createCliHarness();
      docker = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
      await makeBusyboxRootfs(join(cli.home, "rootfs"));
      await writeFile(join(cli.home, "program.mjs"), PROGRAM);
    });
    afterAll(async () => {
      docker.close();
      await cli.remove();
    });

    /** Containers of one process of ours, by the label that the runner gives them: `machine/pid/start`. */
    async function containersOf(pid: number): Promise<number> {
      const query = { all: true, filters: JSON.stringify({ label: ["anyrunner.owner=embedded"] }) };
      const { body } = await docker.request({ path: "/containers/json", query });
      const containers = JSON.parse(Buffer.concat(await body.toArray()).toString()) as readonly { readonly Labels: Readonly<Record<string, string>> }[];
      return containers.filter(({ Labels }) => Labels["anyrunner.process"]?.includes(`/${pid}/`)).length;
    }

    /** A run whose step is under way. */
    async function start(onInterrupt: string): Promise<{ readonly running: RunningCli; readonly program: number; readonly port: number }> {
      const { DOCKER_HOST } = process.env;
      const running = await cli.start(
        ["run", "--runner", "embedded://", "--cleanup-timeout", "10m", "--", process.execPath, "program.mjs", onInterrupt, join(cli.home, "rootfs")],
        { env: DOCKER_HOST === undefined ? {} : { DOCKER_HOST } },
      );
      await running.waitFor("withExec sleep");
      await vi.waitFor(async () => expect(await containersOf(running.pid)).toBeGreaterThan(0), { timeout: 60_000 });
      const [, program = "", port = ""] = /program (\d+) port (\d+)\./.exec(running.stdout()) ?? [];
      return { running, program: Number(program), port: Number(port) };
    }

    async function expectNothingLeft({ running, program, port }: Awaited<ReturnType<typeof start>>): Promise<void> {
      await vi.waitFor(async () => expect(await containersOf(running.pid)).toBe(0), { timeout: 60_000 });
      await vi.waitFor(async () => expect(await readFile(`/proc/${program}/stat`, "utf8").catch(() => ") Z ")).toContain(") Z "), { timeout: 60_000 });
      await expect(fetch(`http://127.0.0.1:${port}/query`)).rejects.toThrow();
    }

    test("SIGINT reaches the program, which ends by itself: its exit code, and nothing is left", async () => {
      const run = await start("end");
      run.running.kill("SIGINT");
      expect(await run.running.ended).toMatchObject({ exitCode: 5, stdout: expect.stringContaining("got it") as string });
      await expectNothingLeft(run);
    });

    test("SIGINT twice ends a program that goes on; nothing is left", async () => {
      const run = await start("ignore");
      run.running.kill("SIGINT");
      await run.running.waitFor("got it");
      run.running.kill("SIGINT");
      expect((await run.running.ended).exitCode).toBe(137);
      await expectNothingLeft(run);
    });

    test("SIGTERM ends it; nothing is left", async () => {
      const run = await start("default");
      run.running.kill("SIGTERM");
      expect((await run.running.ended).exitCode).toBe(143);
      await expectNothingLeft(run);
    });

    test("SIGKILL leaves no container", async () => {
      const run = await start("default");
      run.running.kill("SIGKILL");
      // Nobody is left who could end the program.
      process.kill(run.program, "SIGKILL");
      await run.running.ended;
      await expectNothingLeft(run);
    });
  },
);
