import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { connect, type Client, type Directory } from "@dagger.io/dagger";

/**
 * One scenario of the recordings as a program with the official SDK, unmodified: prints one line of JSON. Which session it
 * gets is the environment's business.
 *
 * Usage: node scenario.ts NAME DEMO_FOLDER OUTPUT_FOLDER [REGISTRY]
 */
type Scenario = (client: Client, places: Places) => Promise<unknown>;

interface Places {
  readonly demo: string;
  readonly out: string;
  readonly registry: string;
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
    client.container().withRootfs(rootfs(client, places)).withSecretVariable("T", client.setSecret("n", "plain-value")).withExec(["sh", "-c", "echo $T"]).stdout(),
  exec: (client, places) => shell(client, places, "echo out; echo err >&2; id").stdout(),
  execFail: (client, places) => shell(client, places, "echo o; echo e >&2; exit 7").stdout(),
  pull: (client, { registry }) => client.container().from(`${registry}/none:1`).stdout(),
  pushPull: async (client, places) => {
    const published = await client.container().withRootfs(rootfs(client, places)).publish(`${places.registry}/demo/app:1`);
    return [published.replace(/@.*/, ""), await client.container().from(published).withExec(["echo", "pulled"]).stdout()];
  },
  slow: (client, places) => shell(client, places, "sleep 45; echo late").withEnvVariable("RUN", places.out).stdout(),
};

const [name = "", demo = "", out = "", registry = ""] = process.argv.slice(2);
const scenario = SCENARIOS[name];
if (scenario === undefined) throw new Error(`no scenario ${name}; there are ${Object.keys(SCENARIOS).join(", ")}`);
try {
  await connect(async (client) => console.log(JSON.stringify(await scenario(client, { demo, out, registry }))));
} catch (error) {
  console.log(JSON.stringify(describe(error)));
}

function describe(error: unknown): unknown {
  const { message, extensions } = error as Error & { readonly extensions?: Readonly<Record<string, unknown>> };
  return { error: message.replaceAll(/ \[traceparent:[^\]]*\]/g, ""), ...(extensions === undefined ? {} : { extensions }) };
}
