import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { locateCluster } from "./cluster-config.ts";
import { openCluster } from "./cluster.ts";
import { createExecDuplex } from "./exec-duplex.ts";
import { openExecSocket } from "./exec-socket.ts";
import { NAMESPACE, testEnv, testSource } from "./test-place.fixture.ts";

/** Runs a program in a test pod; gives what it writes to standard output, `undefined` when it can't run there. */
export async function runInPod(name: string, command: readonly string[]): Promise<string | undefined> {
  const cluster = await openCluster(await locateCluster(testSource, undefined), testSource, undefined);
  const exec = await openExecSocket(cluster, { namespace: NAMESPACE, pod: name, container: "engine", command, handshakeBudgetMs: 10_000 }).catch(
    () => undefined,
  );
  if (exec === undefined) return undefined;
  const { stream } = createExecDuplex(exec, {
    where: cluster.where,
    queueBytes: 1024,
    pingIntervalMs: 10_000,
    graceMs: 1000,
    startError: (status) => Promise.reject(new Error(status.message)),
  });
  let text = "";
  for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}

const LIST_PROGRAMS = `for each in /proc/[0-9]*; do if [ "$each" != "/proc/$$" ]; then tr '\\0' ' ' < "$each/cmdline"; echo; fi; done 2>/dev/null`;

/** Programs in a test pod beside its own command. */
export async function countPrograms(name: string): Promise<number> {
  const text = (await runInPod(name, ["sh", "-c", LIST_PROGRAMS])) ?? "";
  return text.split("\n").filter((line) => line.trim() !== "" && !/sleep 3600 $|wait-for-stop|^sh -c (trap|for each)|^tr /.test(line)).length;
}

/** The test cluster's kubeconfig for somebody else. */
export async function kubeconfigWithToken(token: string): Promise<AsyncDisposable & { readonly file: string }> {
  const { parse } = await import("yaml");
  const own = parse(await readFile(testEnv.KUBECONFIG ?? "", "utf8")) as { readonly users: readonly { readonly name: string }[] };
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-kube-"));
  const file = join(folder, "config");
  await writeFile(file, JSON.stringify({ ...own, users: own.users.map(({ name }) => ({ name, user: { token } })) }));
  return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
