import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { makeTree, type TreeShape } from "./make-tree.ts";
import { measure, type Command } from "./measure.ts";
import { pair, type PairResult } from "./pair.ts";
import { clientEnvironment, type BenchSettings } from "./settings.ts";

interface Tree extends TreeShape {
  readonly name: string;
  readonly targets: { readonly cold: number; readonly unchanged?: number; readonly changed?: number };
}

const TREES: readonly Tree[] = [
  { name: "10,000 files of 4 KB", files: 10_000, fileBytes: 4096, targets: { cold: 0.8, unchanged: 0.6, changed: 0.8 } },
  { name: "500 MB in ten files", files: 10, fileBytes: 50_000_000, targets: { cold: 1.0 } },
];

/** Uploads of host directories: first time, again unchanged, again with one file changed. Each side has its own copy of the tree. */
export async function benchUpload(settings: BenchSettings): Promise<readonly PairResult[]> {
  const { dagger, engine } = settings;
  if (dagger === undefined || engine === undefined) return [];
  const results: PairResult[] = [];
  for (const tree of TREES) {
    const root = mkdtempSync(join(tmpdir(), "anyrunner-bench-"));
    try {
      results.push(...(await benchTree(settings, tree, root, clients(settings.anyrunner, dagger, engine))));
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }
  return results;
}

interface Clients {
  readonly ours: (path: string) => Command;
  readonly peer: (path: string) => Command;
}

function clients(anyrunner: string, dagger: string, engine: string): Clients {
  const env = clientEnvironment(engine);
  const stdin = (path: string) => `{host{directory(path:${JSON.stringify(path)}){sync}}}`;
  return {
    ours: (path) => ({ argv: [process.execPath, anyrunner, "query"], env, stdin: stdin(path) }),
    peer: (path) => ({ argv: [dagger, "--progress", "plain", "query"], env, stdin: stdin(path) }),
  };
}

async function benchTree(settings: BenchSettings, tree: Tree, root: string, { ours, peer }: Clients): Promise<readonly PairResult[]> {
  const runs = Math.max(3, Math.round(settings.runs / 2));
  const place = (side: string, run: number) => join(root, `${side}-${run}`);
  const cold = async (side: string, run: number, command: (path: string) => Command) => {
    rmSync(place(side, run - 1), { recursive: true, force: true });
    makeTree(place(side, run), tree);
    return measure(command(place(side, run)));
  };
  const results = [
    await pair({
      name: `${tree.name}: cold`,
      runs,
      warmUps: 0,
      target: tree.targets.cold,
      ours: (run) => cold("ours", run, ours),
      peer: (run) => cold("peer", run, peer),
    }),
  ];
  const last = runs - 1;
  if (tree.targets.unchanged !== undefined) {
    results.push(
      await pair({
        name: `${tree.name}: unchanged`,
        runs,
        target: tree.targets.unchanged,
        ours: () => measure(ours(place("ours", last))),
        peer: () => measure(peer(place("peer", last))),
      }),
    );
  }
  if (tree.targets.changed !== undefined) {
    const changed = (side: string, command: (path: string) => Command) => {
      writeFileSync(join(place(side, last), "d0", "f0"), randomBytes(tree.fileBytes));
      return measure(command(place(side, last)));
    };
    results.push(
      await pair({
        name: `${tree.name}: one changed`,
        runs,
        target: tree.targets.changed,
        ours: () => changed("ours", ours),
        peer: () => changed("peer", peer),
      }),
    );
  }
  return results;
}
