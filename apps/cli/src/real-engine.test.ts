import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm } from "node:fs/promises";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { openRunner, parseRunnerUrl } from "@anyrunner/core";
import { createDefaultRegistry } from "@anyrunner/drivers";
import { graphqlErrorText, openSession, type EngineSession, type GraphqlResponse } from "@anyrunner/engine";
import { makeBusyboxRootfs, makeRecordedHost, readRecordedResult, type RecordedScenario } from "@anyrunner/testkit";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { createDockerImageStore } from "./image-store/docker-image-store.ts";
import { createCliHarness } from "./test-cli.ts";

const ENGINE = process.env["ANYRUNNER_TEST_ENGINE"] ?? "";
/** A registry that the engine reaches by plain HTTP, as `host:port`. */
const REGISTRY = process.env["ANYRUNNER_TEST_REGISTRY"] ?? "";

test.skipIf(ENGINE === "")("ANYRUNNER_TEST_ENGINE holds a runner URL; the real-engine suite is left out without it", () => {
  expect(parseRunnerUrl(ENGINE).scheme).not.toBe("");
});

const NO_DOCKER = process.env["ANYRUNNER_TEST_DOCKER"] === "skip";

/** Without the build part, which Info may add. */
const released = (version: string) => version.replace(/\+.*$/, "");

/** Copies a program of this machine with the libraries that it needs into a directory that becomes part of a container. */
async function addProgram(name: string, directory: string): Promise<void> {
  const { stdout } = await promisify(execFile)("sh", ["-c", 'path=$(command -v "$0") && echo "$path" && ldd "$path"', name]);
  const [program = "", ...libraries] = stdout.split("\n").map((line) => /(?:^|\s)(\/\S+)/.exec(line)?.[1] ?? "");
  for (const path of [program, ...libraries.filter((each) => each !== "")]) {
    const target = path === program ? "/usr/bin/" + name : path;
    await mkdir(join(directory, dirname(target)), { recursive: true });
    await copyFile(await realpath(path), join(directory, target));
  }
}

/** The scenarios of the recordings, asked as the official SDK asks, compared with what its program printed then. */
describe.skipIf(ENGINE === "")(`real engine at ${ENGINE}`, () => {
  let folder: string;
  let root: string;
  let session: EngineSession;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "real-engine-")));
    root = join(folder, "demo");
    await makeRecordedHost("uploadGitignore", root);
    // As in the recordings, the container has no user names.
    await makeBusyboxRootfs(join(root, "rootfs"));
    await Promise.all(["passwd", "group"].map((name) => rm(join(root, "rootfs/etc", name))));
    await mkdir(join(folder, "out"));
    session = await open();
  });
  afterAll(async () => {
    await session?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(): Promise<EngineSession> {
    const env = process.env;
    const runner = await openRunner(ENGINE, { registry: createDefaultRegistry({ cwd: root, env }) });
    return openSession(runner, { env, cwd: root, stableId: "anyrunner-real-engine-test", attachables: { imageStore: createDockerImageStore({ env }) } });
  }

  /** The data below the named fields; fails with the messages of the engine. */
  async function ask(query: string, ...fields: readonly string[]): Promise<unknown> {
    const { data, errors = [] } = await session.query({ query });
    if (errors.length > 0) throw new Error(graphqlErrorText(errors));
    return fields.reduce((value, field) => (value as Record<string, unknown>)[field], data);
  }

  const text = (value: string) => JSON.stringify(value);
  const src = () => text(join(root, "src"));
  const rootfs = async () => text(String(await ask(`{host{directory(path:${text(join(root, "rootfs"))}){id}}}`, "host", "directory", "id")));

  async function exec(command: readonly string[], prepared = ""): Promise<GraphqlResponse> {
    const closing = "}".repeat(prepared.split("){").length - 1);
    const container = `container{withRootfs(directory:${await rootfs()}){${prepared}withExec(args:${JSON.stringify(command)}){stdout}${closing}}}`;
    return session.query({ query: `{${container}}` });
  }

  /** The value that the recorded program printed: JSON behind the name, in front of the time. */
  async function printed(scenario: RecordedScenario): Promise<unknown> {
    const match = new RegExp(`^${scenario} (.*) \\d+ms\\s*$`, "s").exec(await readRecordedResult(scenario));
    return JSON.parse(match?.[1] ?? "null");
  }

  /** A server of the host: on a port, which is the result, or a unix socket. */
  async function serve(onConnection: (socket: Socket) => void, path?: string): Promise<number> {
    const server = createServer((socket) => onConnection(socket.on("error", () => {})));
    await once(path === undefined ? server.listen(0, "127.0.0.1") : server.listen(path), "listening");
    onTestFinished(() => void server.close());
    return path === undefined ? (server.address() as AddressInfo).port : 0;
  }

  test("version", async () => {
    expect(await ask("{version}", "version")).toBe(released(session.engine.version));
  });

  test.each<[RecordedScenario, string]>([
    ["upload", ""],
    ["uploadFilter", ',exclude:["node_modules","*.bin"],include:["**/*.txt","run.sh"]'],
    ["uploadGitignore", ",gitignore:true"],
  ])("%s", async (scenario, filters) => {
    expect(await ask(`{host{directory(path:${src()}${filters}){glob(pattern:"**")}}}`, "host", "directory", "glob")).toEqual(await printed(scenario));
  });

  test("hostFile", async () => {
    expect(await ask(`{host{file(path:${text(join(root, "src/a.txt"))}){contents}}}`, "host", "file", "contents")).toBe(await printed("hostFile"));
  });

  test("hostMissing", async () => {
    const { errors = [] } = await session.query({ query: `{host{directory(path:${text(join(root, "none"))}){entries}}}` });
    const recorded = String(await printed("hostMissing"))
      .replace(/^ERR /, "")
      .replace(/ \[traceparent:.*\]$/, "");
    expect(graphqlErrorText(errors).replaceAll(root, "/demo")).toBe(recorded);
    expect(errors[0]?.path).toEqual(["host", "directory"]);
  });

  test("exportDir", async () => {
    const target = join(folder, "out/directory");
    expect(await ask(`{host{directory(path:${src()}){export(path:${text(target)})}}}`, "host", "directory", "export")).toBe(target);
    expect((await readdir(target)).toSorted()).toEqual(await printed("exportDir"));
    expect(await readFile(join(target, "sub/b.txt"), "utf8")).toBe("nested\n");
  });

  test("exportFile", async () => {
    const target = join(folder, "out/x.txt");
    await ask(`{directory{withNewFile(path:"x.txt",contents:"payload"){file(path:"x.txt"){export(path:${text(target)})}}}}`);
    expect(await readFile(target, "utf8")).toBe(await printed("exportFile"));
  });

  test("exportTarball", async () => {
    const target = join(folder, "out/image.tar");
    await ask(`{container{withRootfs(directory:${await rootfs()}){export(path:${text(target)})}}}`);
    const archive = await readFile(target);
    expect(archive.subarray(257, 262).toString("latin1")).toBe("ustar");
    expect(archive.includes("oci-layout")).toBe(true);
  });

  test("secretEnv", async () => {
    const secret = text(String(await ask(`{secret(uri:${text(`file://${join(root, "secret.txt")}`)}){id}}`, "secret", "id")));
    const { data } = await exec(["sh", "-c", "echo got $T | busybox wc -c"], `withSecretVariable(name:"T",secret:${secret}){`);
    expect(data).toEqual({ container: { withRootfs: { withSecretVariable: { withExec: { stdout: await printed("secretEnv") } } } } });
  });

  test("setSecret", async () => {
    const secret = text(String(await ask('{setSecret(name:"n",plaintext:"plain-value"){id}}', "setSecret", "id")));
    const { data } = await exec(["sh", "-c", "echo $T"], `withSecretVariable(name:"T",secret:${secret}){`);
    expect(data).toEqual({ container: { withRootfs: { withSecretVariable: { withExec: { stdout: await printed("setSecret") } } } } });
  });

  test("exec", async () => {
    const { data } = await exec(["sh", "-c", "echo out; echo err >&2; cat /etc/hostname; id"]);
    expect(data).toEqual({ container: { withRootfs: { withExec: { stdout: await printed("exec") } } } });
  });

  test("execFail", async () => {
    const { data, errors } = await exec(["sh", "-c", "echo o; echo e >&2; exit 7"]);
    expect(data).toBeNull();
    expect(errors).toEqual([
      {
        message: expect.stringMatching(/^exit code: 7/),
        path: ["container", "withRootfs", "withExec", "stdout"],
        extensions: { _type: "EXEC_ERROR", cmd: ["sh", "-c", "echo o; echo e >&2; exit 7"], exitCode: 7, stdout: "o", stderr: "e" },
      },
    ]);
  });

  test("hostService", async () => {
    const port = await serve(
      (socket) => void socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nfrom-host\n")),
    );
    const service = text(String(await ask(`{host{service(ports:[{backend:${port},frontend:8080}]){id}}}`, "host", "service", "id")));
    const { data, errors } = await exec(["wget", "-q", "-O", "-", "http://h:8080/"], `withServiceBinding(alias:"h",service:${service}){`);
    expect({ data, errors }).toEqual({ data: { container: { withRootfs: { withServiceBinding: { withExec: { stdout: await printed("hostService") } } } } } });
  });

  test("hostService: a program that waits for the end of what the service says gets it", async () => {
    const port = await serve((socket) => socket.end("and that is all\n"));
    const service = text(String(await ask(`{host{service(ports:[{backend:${port},frontend:8081}]){id}}}`, "host", "service", "id")));
    const { data, errors } = await exec(
      ["sh", "-c", "mkfifo /tmp/never; exec 3<>/tmp/never; nc h 8081 <&3"],
      `withServiceBinding(alias:"h",service:${service}){`,
    );
    expect({ data, errors }).toEqual({ data: { container: { withRootfs: { withServiceBinding: { withExec: { stdout: "and that is all\n" } } } } } });
  });

  test("hostSocket", async () => {
    const path = join(folder, "host.sock");
    await serve((socket) => socket.end("hi-from-unix\n"), path);
    await addProgram("perl", join(root, "perl"));
    const perl = text(String(await ask(`{host{directory(path:${text(join(root, "perl"))}){id}}}`, "host", "directory", "id")));
    const socket = text(String(await ask(`{host{unixSocket(path:${text(path)}){id}}}`, "host", "unixSocket", "id")));
    const program = 'socket(S,1,1,0)||die $!;connect(S,pack("Sa108",1,"/s.sock"))||die $!;print while <S>';
    const { data, errors } = await exec(["perl", "-e", program], `withDirectory(path:"/",source:${perl}){withUnixSocket(path:"/s.sock",source:${socket}){`);
    expect({ data, errors }).toEqual({
      data: { container: { withRootfs: { withDirectory: { withUnixSocket: { withExec: { stdout: await printed("hostSocket") } } } } } },
    });
  });

  test("tunnel", async () => {
    const httpd = '["busybox","httpd","-f","-p","8000","-h","/www"]';
    const fields = ["container", "withRootfs", "withNewFile", "withExposedPort", "asService", "id"];
    const built = `withNewFile(path:"/www/index.html",contents:"served\\n"){withExposedPort(port:8000){asService(args:${httpd}){id}}}`;
    const service = text(String(await ask(`{container{withRootfs(directory:${await rootfs()}){${built}}}}`, ...fields)));
    const tunnel = text(String(await ask(`{host{tunnel(service:${service},ports:[{backend:8000,frontend:0}]){start}}}`, "host", "tunnel", "start")));
    const endpoint = String(await ask(`{node(id:${tunnel}){... on Service{endpoint(scheme:"http")}}}`, "node", "endpoint"));
    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(`${endpoint.replace("0.0.0.0", "127.0.0.1")}/index.html`)).text()));
    expect(new Set(answers)).toEqual(new Set([await printed("tunnel")]));
    await ask(`{node(id:${tunnel}){... on Service{stop}}}`, "node", "stop");
    await expect(fetch(endpoint.replace("0.0.0.0", "127.0.0.1"))).rejects.toThrow();
  });

  test.skipIf(NO_DOCKER)("an image goes to the container engine of the host and comes back (left out with ANYRUNNER_TEST_DOCKER=skip)", async () => {
    const name = text(`anyrunner-test-export:${process.pid}`);
    onTestFinished(() => void promisify(execFile)("docker", ["image", "rm", JSON.parse(name)]).catch(() => {}));
    const built = `withNewFile(path:"/made",contents:"by the engine"){exportImage(name:${name})}`;
    await ask(`{container{withRootfs(directory:${await rootfs()}){${built}}}}`);
    const back = await ask(`{host{containerImage(name:${name}){withExec(args:["cat","/made"]){stdout}}}}`, "host", "containerImage", "withExec", "stdout");
    expect(back).toBe("by the engine");
  });

  test.skipIf(REGISTRY === "")("pull, from the registry of ANYRUNNER_TEST_REGISTRY", async () => {
    const { errors = [] } = await session.query({ query: `{container{from(address:"${REGISTRY}/none:1"){stdout}}}` });
    const recorded = String(await printed("pull"))
      .replace(/^ERR /, "")
      .replaceAll("127.0.0.1:5999", REGISTRY);
    expect(graphqlErrorText(errors)).toBe(recorded);
  });

  test.skipIf(REGISTRY === "")("pushPull, with the registry of ANYRUNNER_TEST_REGISTRY", async () => {
    const published = await ask(
      `{container{withRootfs(directory:${await rootfs()}){publish(address:"${REGISTRY}/demo/app:1")}}}`,
      "container",
      "withRootfs",
      "publish",
    );
    expect(published).toMatch(new RegExp(`^${REGISTRY}/demo/app:1@sha256:[0-9a-f]{64}$`));
    const stdout = await ask(
      `{container{from(address:${text(String(published))}){withExec(args:["echo","pulled"]){stdout}}}}`,
      "container",
      "from",
      "withExec",
      "stdout",
    );
    expect([published, stdout]).toEqual([expect.anything(), ((await printed("pushPull")) as string[])[1]]);
  });

  test("a query that is silent for 45 seconds comes through", async () => {
    const { data } = await exec(["sh", "-c", `sleep 45; echo ${Date.now()} late`]);
    expect(JSON.stringify(data)).toContain("late");
  });

  test("a client that is killed without a word leaves the engine able to serve the next", async () => {
    const cli = await createCliHarness();
    try {
      const { KUBECONFIG } = process.env;
      const env = KUBECONFIG === undefined ? {} : { KUBECONFIG };
      const running = await cli.start(["run", "--runner", ENGINE, "--", "sh", "-c", "echo started $$; exec sleep 60"], { env });
      await running.waitFor("started");
      running.kill("SIGKILL");
      // Nobody is left who could end the child.
      process.kill(Number(/started (\d+)/.exec(running.stdout())?.[1]), "SIGKILL");
      await running.ended;
      const next = await open();
      expect(await next.query({ query: "{version}" })).toEqual({ data: { version: released(next.engine.version) } });
      await next.close();
    } finally {
      await cli.remove();
    }
  });
});
