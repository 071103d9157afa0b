import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Content } from "../tree/node.ts";
import type { HostSelection } from "./host-client.ts";

/** What earlier transfers of a selection brought: files that did not change since are not asked for again. */
export interface HostMirrors {
  /** The memory for one directory of one machine; of no machine in particular it is empty and forgets. */
  open(machine: string, selection: HostSelection): HostMirror;
}

export interface HostMirror {
  load(): Promise<ReadonlyMap<string, MirroredFile>>;
  save(files: ReadonlyMap<string, MirroredFile>): Promise<void>;
}

export interface MirroredFile {
  readonly size: number;
  readonly modTimeNs: string;
  readonly digest: string;
}

/** Mirrors as JSON files below `folder`; a missing or broken one is an empty one. */
export function createHostMirrors(folder: string): HostMirrors {
  return {
    open(machine, selection) {
      if (machine === "") return { load: async () => new Map(), save: async () => {} };
      const file = join(
        folder,
        `${createHash("sha256")
          .update(JSON.stringify([machine, selection.path, selection.include, selection.exclude, selection.gitignore]))
          .digest("hex")}.json`,
      );
      return {
        async load() {
          try {
            return new Map(Object.entries(JSON.parse(await readFile(file, "utf8")) as Record<string, MirroredFile>));
          } catch {
            return new Map();
          }
        },
        async save(files) {
          await mkdir(folder, { recursive: true });
          const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
          await writeFile(temporary, JSON.stringify(Object.fromEntries(files)), { mode: 0o600 });
          await rename(temporary, file);
        },
      };
    },
  };
}

export function isSame(known: MirroredFile | undefined, file: { readonly size: number; readonly modTimeNs: bigint }): known is MirroredFile {
  return known !== undefined && known.size === file.size && known.modTimeNs === String(file.modTimeNs);
}

export function mirrored(content: Content, modTimeNs: bigint): MirroredFile {
  return { size: content.size, modTimeNs: String(modTimeNs), digest: content.digest };
}
