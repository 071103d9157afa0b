import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import type { Client, Container, Directory, Service } from "@dagger.io/dagger";

import { serveRepository } from "./git-server.ts";

/**
 * One scenario of the recordings as a program with the official SDK, unmodified: prints one line of JSON. Which session it
 * gets is the environment's business.
 *
 * Usage: node scenario.ts NAME DEMO_FOLDER OUTPUT_FOLDER REGISTRY SDK_FOLDER LOGIN_REGISTRY HOST
 * SDK_FOLDER is where another version of the SDK is installed; empty for the one of this repository.
 */
type Scenario = (client: Client, places: Places) => Promise<unknown>;

interface Places {
  readonly demo: string;
  readonly out: string;
  readonly registry: string;
  /** A registry that asks who it is, as `host:port`. */
  readonly login: string;
  /** Where the engine reaches this machine. */
  readonly host: string;
}

const rootfs = (client: Client, { demo }: Places): Directory => client.host().directory(join(demo, "rootfs"));
const shell = (client: Client, places: Places, script: string) => client.container().withRootfs(rootfs(client, places)).withExec(["sh", "-c", script]);
const sorted = (values: readonly string[]) => values.toSorted();

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  version: (client) => client.version(),
  upload: async (client, { demo }) => sorted(await client.host().directory(join(demo, "src")).glob("**")),
  uploadFilter: async (client, { demo }) =>
    sorted(
      await client
        .host()
        .directory(join(demo, "src"), { exclude: ["node_modules", "*.bin"], include: ["**/*.txt", "run.sh"] })
        .glob("**"),
    ),
  uploadGitignore: async (client, { demo }) => sorted(await client.host().directory(join(demo, "src"), { gitignore: true }).glob("**")),
  uploadDigest: (client, { demo }) => client.host().directory(join(demo, "src")).digest(),
  uploadOdd: async (client, { demo }) => {
    const odd = client.host().directory(join(demo, "odd"), { exclude: [".git"] });
    const ignoring = client.host().directory(join(demo, "odd"), { exclude: [".git"], gitignore: true });
    return [await odd.digest(), await odd.glob("**"), await ignoring.digest(), await ignoring.glob("**")];
  },
  exportOdd: async (client, { demo, out }) => {
    const odd = client.host().directory(join(demo, "odd"), { exclude: [".git"] });
    // Uploads leave pipes out, so that one is made here.
    const made = client
      .container()
      .withRootfs(client.host().directory(join(demo, "rootfs")))
      .withDirectory("/odd", odd)
      .withExec(["mkfifo", "/odd/made"]);
    await made.directory("/odd").export(out);
    const list = `find . -type f -exec sha256sum {} + | LC_ALL=C sort; find . -mindepth 1 ! -type d -printf '%P %y %m %s %n %l\\n' | LC_ALL=C sort`;
    const { stdout } = await promisify(execFile)("sh", ["-c", list], { cwd: out, encoding: "latin1" });
    return stdout.split("\n");
  },
  hostFile: (client, { demo }) => client.host().file(join(demo, "src/a.txt")).contents(),
  hostMissing: (client, { demo }) => client.host().directory(join(demo, "none")).entries(),
  exportDir: async (client, { demo, out }) => {
    await client.host().directory(join(demo, "src")).export(out);
    return sorted(await readdir(out, { recursive: true }));
  },
  exportFile: async (client, { out }) => {
    await client.directory().withNewFile("x.txt", "payload").file("x.txt").export(join(out, "x.txt"));
    return readdir(out);
  },
  exportTarball: async (client, places) => {
    await client.container().withRootfs(rootfs(client, places)).export(join(places.out, "image.tar"));
    return readdir(places.out);
  },
  secretEnv: (client, places) =>
    client
      .container()
      .withRootfs(rootfs(client, places))
      .withSecretVariable("T", client.secret(`file://${join(places.demo, "secret.txt")}`))
      .withExec(["sh", "-c", "echo got $T; echo $T | busybox wc -c"])
      .stdout(),
  setSecret: (client, places) =>
    client
      .container()
      .withRootfs(rootfs(client, places))
      .withSecretVariable("T", client.setSecret("n", "plain-value"))
      .withExec(["sh", "-c", "echo $T"])
      .stdout(),
  exec: (client, places) => shell(client, places, "echo out; echo err >&2; id").stdout(),
  execFail: (client, places) => shell(client, places, "echo o; echo e >&2; exit 7").stdout(),
  secretMissing: (client) => client.secret("env://NO_SUCH_VARIABLE_HERE").plaintext(),
  secretCommand: (client) => client.secret("cmd://printf '%s' from-a-command").plaintext(),
  hostService: async (client, places) => {
    const port = await serve((socket) => void socket.once("data", () => socket.end(HTTP_ANSWER)));
    const service = client.host().service([{ backend: port, frontend: 8080 }]);
    return withService(client, places, service, "wget -q -O - http://h:8080/");
  },
  hostServiceUpload: async (client, places) => {
    let received = 0;
    const port = await serve((socket) => void socket.on("data", (chunk) => (received += chunk.length)).end());
    const service = client.host().service([{ backend: port, frontend: 8080 }]);
    await withService(client, places, service, "head -c 3000000 /dev/zero | nc h 8080");
    return received;
  },
  hostServiceRefused: async (client, places) => {
    const service = client.host().service([{ backend: 1, frontend: 8080 }]);
    return withService(client, places, service, "nc h 8080 </dev/null; echo status $?");
  },
  tunnel: async (client, places) => {
    const tunnel = await client
      .host()
      .tunnel(webServer(client, places), { ports: [{ backend: 8000, frontend: 0 }] })
      .start();
    const endpoint = (await tunnel.endpoint({ scheme: "http" })).replace("0.0.0.0", "127.0.0.1");
    const texts = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(`${endpoint}/index.html`)).text()));
    await tunnel.stop();
    const after = await fetch(endpoint).then(
      () => "still open",
      () => "closed",
    );
    return [...new Set(texts), texts.length, after];
  },
  tunnelTaken: async (client, places) => {
    const port = await serve(() => {});
    const taken = client
      .host()
      .tunnel(webServer(client, places), { ports: [{ backend: 8000, frontend: port }] })
      .start();
    return taken.then(
      () => "listens",
      (error: Error) => ({ error: error.message.replaceAll(String(port), "PORT").replaceAll(/ \[traceparent:[^\]]*\]/g, "") }),
    );
  },
  pull: (client, { registry }) => client.container().from(`${registry}/none:1`).stdout(),
  pushPull: async (client, places) => {
    const published = await client.container().withRootfs(rootfs(client, places)).publish(`${places.registry}/demo/app:1`);
    return [published.replace(/@.*/, ""), await client.container().from(published).withExec(["echo", "pulled"]).stdout()];
  },
  hostSocket: async (client, places) => {
    const path = join(places.out, "host.sock");
    await serve((socket) => socket.end("hi-from-unix\n"), path);
    // One read: the official client never passes on that the host's side has ended.
    return withSocket(client, places, path, "sysread(S,$b,4096);print $b");
  },
  // SSH_AGENTC_REQUEST_IDENTITIES; the answer holds the comment of the key.
  agentSocket: (client, places) =>
    withSocket(
      client,
      places,
      process.env["SSH_AUTH_SOCK"] ?? "",
      'syswrite(S,pack("NC",1,11));sysread(S,$b,4096);print $b=~/engine-record/?"the key":"no key"',
    ),
  gitPrivate: async (client, { demo, host }) => {
    const port = await serveRepository(join(demo, "git"));
    const repository = client.git(`http://${host}:${port}/git`).branch("main");
    return [await repository.commit(), await repository.tree().file("private.txt").contents()].map((text) => text.replace(String(port), "PORT"));
  },
  registryLogin: async (client, places) => {
    const published = await client.container().withRootfs(rootfs(client, places)).publish(`${places.login}/private/app:1`);
    return [published.replace(/@.*/, ""), await client.container().from(published).withExec(["echo", "pulled"]).stdout()];
  },
  imageExport: async (client, places) => {
    const container = client.container().withRootfs(rootfs(client, places)).withNewFile("/made", "by the engine\n").withEnvVariable("MADE", "here");
    await exportImage(container.withLabel("made", "here").withEntrypoint(["cat"]).withExposedPort(80).withWorkdir("/tmp"));
    const [image] = JSON.parse(await docker("image", "inspect", IMAGE)) as readonly DockerImage[];
    const { Env, Entrypoint, Labels, ExposedPorts, WorkingDir } = image?.Config ?? {};
    const { Architecture, Os, RepoTags, RootFS } = image ?? {};
    return { Env, Entrypoint, Labels, ExposedPorts, WorkingDir, Architecture, Os, RepoTags, layers: RootFS?.Layers.length };
  },
  imageImport: async (client, places) => {
    await exportImage(client.container().withRootfs(rootfs(client, places)).withNewFile("/made", `${places.out}\n`).withEnvVariable("MADE", "here"));
    const image = client.host().containerImage(IMAGE);
    return [await image.file("/made").contents(), await image.envVariable("MADE"), await image.withExec(["cat", "/made"]).stdout()];
  },
  imageMissing: (client) => client.host().containerImage("anyrunner-test-record:none").rootfs().entries(),
  slow: (client, places) => shell(client, places, "sleep 45; echo late").withEnvVariable("RUN", places.out).stdout(),
};

/** What scenarios bring to the Docker of the host; record.ts removes it. */
const IMAGE = "anyrunner-test-record:1";

interface DockerImage {
  readonly Config: Readonly<Record<"Env" | "Entrypoint" | "Labels" | "ExposedPorts" | "WorkingDir", unknown>>;
  readonly Architecture: string;
  readonly Os: string;
  readonly RepoTags: readonly string[];
  readonly RootFS: { readonly Layers: readonly string[] };
}

async function exportImage(container: Container): Promise<void> {
  await container.exportImage(IMAGE).catch((error: Error) => {
    // The SDK 1.0.0-beta.14 can't take an answer without a value.
    if (error.name !== "TooManyNestedObjectsError") throw error;
  });
}

async function docker(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)("docker", args)).stdout;
}

const HTTP_ANSWER = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nfrom-host\n";

/** A server of the host on a port of its own, for as long as the program runs. */
async function serve(onConnection: (socket: Socket) => void, path?: string): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => onConnection(socket.on("error", () => {}))).unref();
  await once(path === undefined ? server.listen(0, "0.0.0.0") : server.listen(path), "listening");
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

function withSocket(client: Client, places: Places, path: string, script: string): Promise<string> {
  const program = `socket(S,1,1,0)||die $!;connect(S,pack("Sa108",1,"/s.sock"))||die $!;${script}`;
  const container = client
    .container()
    .withRootfs(rootfs(client, places))
    .withDirectory("/", client.host().directory(join(places.demo, "perl")));
  return container
    .withUnixSocket("/s.sock", client.host().unixSocket(path))
    .withEnvVariable("RUN", `${places.out} ${process.pid}`)
    .withExec(["perl", "-e", program])
    .stdout();
}

function withService(client: Client, places: Places, service: Service, script: string): Promise<string> {
  const container = client.container().withRootfs(rootfs(client, places)).withServiceBinding("h", service);
  // Never from the cache: the service must be reached.
  return container.withEnvVariable("RUN", `${places.out} ${process.pid}`).withExec(["sh", "-c", script]).stdout();
}

function webServer(client: Client, places: Places): Service {
  const container = client.container().withRootfs(rootfs(client, places)).withNewFile("/www/index.html", "served\n").withExposedPort(8000);
  // Default arguments, not those of asService(): engine 0.14 knows only these.
  return container.withDefaultArgs(["busybox", "httpd", "-f", "-p", "8000", "-h", "/www"]).asService();
}

const [name = "", demo = "", out = "", registry = "", sdk = "", login = "", host = ""] = process.argv.slice(2);
const scenario = SCENARIOS[name];
if (scenario === undefined) throw new Error(`no scenario ${name}; there are ${Object.keys(SCENARIOS).join(", ")}`);
const { connect } = (await import(sdk === "" ? "@dagger.io/dagger" : sdkEntry(sdk))) as typeof import("@dagger.io/dagger");
try {
  await connect(async (client) => console.log(JSON.stringify(await scenario(client, { demo, out, registry, login, host }))));
} catch (error) {
  console.log(JSON.stringify(describe(error)));
}

function sdkEntry(folder: string): string {
  return pathToFileURL(createRequire(join(folder, "package.json")).resolve("@dagger.io/dagger")).href;
}

/** An answer; `absent` when this version of the SDK has no such call. */
function describe(error: unknown): unknown {
  if ((error as Error).message.endsWith(" is not a function")) return { absent: (error as Error).message };
  const { message, extensions } = error as Error & { readonly extensions?: Readonly<Record<string, unknown>> };
  return {
    error: message.replaceAll(/ \[traceparent:[^\]]*\]/g, "").replaceAll(/(http:\/\/[^/:]+):\d{5}\b/g, "$1:PORT"),
    ...(extensions === undefined ? {} : { extensions }),
  };
}
