import { execFile } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { promisify } from "node:util";

import { decodePacket, decodeStat, isDirectory, isSymlink, posixPermissions, type FileStat } from "@anyrunner/filesync";

import { readConversation } from "./exchange.ts";
import { readCall, type RecordedCall } from "./recorded-call.ts";
import { readRecording, type RecordedScenario } from "./recording.ts";

/**
 * Makes under `root` the part of the recorded `/demo` that the client showed in a scenario: names, kinds, modes, sizes, times to the
 * nanosecond and, as far as any recording holds them, contents. Needs GNU touch.
 */
export async function makeRecordedHost(scenario: RecordedScenario, root: string): Promise<void> {
  const contents = await recordedContents();
  const stats = new Map<string, FileStat>();
  for (const call of readConversation(await readRecording(scenario, 2)).exchanges.map(readCall))
    for (const [path, stat] of shownPaths(call)) stats.set(path, stat);
  await mkdir(root, { recursive: true });
  await writeFile(join(root, "secret.txt"), "s3cret-value\n");

  const shown = [...stats].filter(([path]) => path === "/demo" || path.startsWith("/demo/")).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [path, stat] of shown) await makeEntry(here(path), stat, contents.get(path));
  for (const [path, stat] of shown.toReversed()) await setTime(here(path), stat.modTimeNs);

  function here(path: string): string {
    return join(root, path.slice("/demo".length));
  }
}

function shownPaths({ mode, options, answer }: RecordedCall): readonly (readonly [string, FileStat])[] {
  const base = typeof options["path"] === "string" ? options["path"] : "/";
  if (mode === "stat" && answer.status === 0 && options["stat_path_only"] === true) {
    return answer.messages.map(decodeStat).map((stat) => [stat.path, stat] as const);
  }
  if (mode !== "tree") return [];
  return answer.messages.flatMap((message) => {
    const packet = decodePacket(message);
    return packet.type === "stat" && packet.stat !== undefined ? [[posix.join(base, packet.stat.path), packet.stat] as const] : [];
  });
}

/** Contents of `/demo/src`: the engine had cached them in most scenarios, but wrote them back in one. */
async function recordedContents(): Promise<ReadonlyMap<string, Buffer>> {
  const calls = readConversation(await readRecording("exportDir", 2)).exchanges.map(readCall);
  const paths: string[] = [];
  const contents = new Map<string, Buffer>();
  for (const message of calls.find(({ mode }) => mode === "write-tree")?.requests ?? []) {
    const packet = decodePacket(message);
    if (packet.type === "stat" && packet.stat !== undefined) paths.push(posix.join("/demo/src", packet.stat.path));
    if (packet.type === "data") {
      const path = paths[packet.id] ?? "";
      contents.set(path, Buffer.concat([contents.get(path) ?? Buffer.alloc(0), packet.data]));
    }
  }
  return contents;
}

async function makeEntry(path: string, stat: FileStat, content: Buffer | undefined): Promise<void> {
  await mkdir(isDirectory(stat.mode) ? path : dirname(path), { recursive: true });
  if (isSymlink(stat.mode)) return symlink(stat.linkname, path);
  if (!isDirectory(stat.mode)) await writeFile(path, content ?? Buffer.alloc(stat.size));
  await chmod(path, posixPermissions(stat.mode));
}

async function setTime(path: string, ns: bigint): Promise<void> {
  const seconds = ns / 1_000_000_000n;
  const rest = String(ns % 1_000_000_000n).padStart(9, "0");
  await promisify(execFile)("touch", ["--no-dereference", `--date=@${seconds}.${rest}`, path]);
}
