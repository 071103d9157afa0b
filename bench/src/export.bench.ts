import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { fillFile, makeTree, type TreeShape } from "./make-tree.ts";
import { highWaterMiB, measure, resetHighWater, type Command } from "./measure.ts";
import { pair, type PairResult, type Sample } from "./pair.ts";
import { withSession, type SessionClient } from "./session-client.ts";
import { clientEnvironment, type BenchSettings } from "./settings.ts";

const FILES = 10;
const FILE_BYTES = 50_000_000;
const TREE: TreeShape = { files: FILES, fileBytes: FILE_BYTES };
const TARGET = 1.0;

/**
 * Exports of 500 MB to this machine's disk: as whole commands into an empty place, and through open sessions, again and again over what is there
 * (`wipe` lets the client keep what it has). What is exported was uploaded by each side before, so that only its listing goes up.
 */
export async function benchExport(settings: BenchSettings): Promise<readonly PairResult[]> {
  const { dagger, engine } = settings;
  if (dagger === undefined || engine === undefined) return [];
  const root = mkdtempSync(join(tmpdir(), "anyrunner-bench-"));
  try {
    makeTree(join(root, "tree"), TREE);
    fillFile(join(root, "file"), FILES * FILE_BYTES);
    const places = { root, tree: join(root, "tree"), file: join(root, "file") };
    return [...(await benchCommands(settings, places, { dagger, engine })), ...(await benchSessions(settings, places, { dagger, engine }))];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Places {
  readonly root: string;
  readonly tree: string;
  readonly file: string;
}

interface Official {
  readonly dagger: string;
  readonly engine: string;
}

/** Connecting, the export into a place where nothing is, and an orderly end. */
async function benchCommands({ anyrunner, runs }: BenchSettings, { root, tree, file }: Places, { dagger, engine }: Official): Promise<readonly PairResult[]> {
  const env = clientEnvironment(engine);
  const out = join(root, "out");
  const exported = async (argv: Command["argv"], source: string): Promise<Sample> => {
    const run = await measure({ argv, env, stdin: `{host{${source}{export(path:${JSON.stringify(out)})}}}` });
    return checked(out, run);
  };
  const both = (name: string, source: string) =>
    pair({
      name,
      runs: Math.max(3, Math.round(runs / 2)),
      target: TARGET,
      ours: () => exported([process.execPath, anyrunner, "query"], source),
      peer: () => exported([dagger, "--progress", "plain", "query"], source),
    });
  return [
    await both("export of 500 MB in ten files: cold, whole command", `directory(path:${JSON.stringify(tree)})`),
    await both("export of 500 MB in one file: cold, whole command", `file(path:${JSON.stringify(file)})`),
  ];
}

/** What an export takes once a session is open. */
async function benchSessions({ anyrunner, runs }: BenchSettings, { root, tree, file }: Places, { dagger, engine }: Official): Promise<readonly PairResult[]> {
  const env = clientEnvironment(engine);
  return withSession(
    [process.execPath, anyrunner, "session"],
    (ours) =>
      withSession(
        [dagger, "--progress", "plain", "session"],
        async (peer) => {
          const sides = { ours: await uploaded(ours, tree, file), peer: await uploaded(peer, tree, file) };
          const few = Math.max(3, Math.round(runs / 2));
          const both = (name: string, what: (side: Uploaded) => Promise<Sample>) =>
            pair({ name, runs: few, target: TARGET, ours: () => what(sides.ours), peer: () => what(sides.peer) });
          const place = (side: Uploaded, name: string) => join(root, `${side === sides.ours ? "ours" : "peer"}-${name}`);
          return [
            await both("export of 500 MB in ten files: into nothing", (side) => side.exportTree({ path: place(side, "new"), wipe: false, remove: true })),
            await both("export of 500 MB in ten files: over what is there", (side) => side.exportTree({ path: place(side, "again"), wipe: false })),
            await both("export of 500 MB in ten files: unchanged, wipe", (side) => side.exportTree({ path: place(side, "again"), wipe: true })),
            await both("export of 500 MB in one file: into nothing", (side) => side.exportFile(place(side, "new"))),
          ];
        },
        env,
      ),
    env,
  );
}

interface Uploaded {
  exportTree(options: { readonly path: string; readonly wipe: boolean; readonly remove?: boolean }): Promise<Sample>;
  exportFile(path: string): Promise<Sample>;
}

async function uploaded(session: SessionClient, tree: string, file: string): Promise<Uploaded> {
  const query = `{host{directory(path:${JSON.stringify(tree)}){id} file(path:${JSON.stringify(file)}){id}}}`;
  const { host } = (await session.query(query)) as { readonly host: Readonly<Record<"directory" | "file", { readonly id: string }>> };
  const timed = async (path: string, exportQuery: string, remove: boolean): Promise<Sample> => {
    resetHighWater(session.pid);
    const started = performance.now();
    await session.query(exportQuery);
    const sample = { wallMs: performance.now() - started, peakMiB: highWaterMiB(session.pid) };
    return remove ? checked(path, sample) : sample;
  };
  return {
    exportTree: ({ path, wipe, remove = false }) =>
      timed(path, `{loadDirectoryFromID(id:"${host.directory.id}"){export(path:${JSON.stringify(path)},wipe:${wipe})}}`, remove),
    exportFile: (path) => timed(path, `{loadFileFromID(id:"${host.file.id}"){export(path:${JSON.stringify(path)})}}`, true),
  };
}

/** Everything has come; then it goes, outside of what is timed. */
function checked(out: string, sample: Sample): Sample {
  const bytes = bytesBelow(out);
  if (bytes !== FILES * FILE_BYTES) throw new Error(`${bytes} bytes were exported`);
  rmSync(out, { recursive: true });
  return sample;
}

function bytesBelow(path: string): number {
  const found = statSync(path);
  if (!found.isDirectory()) return found.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
}
