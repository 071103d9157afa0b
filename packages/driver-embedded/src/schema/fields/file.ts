import { shared } from "../../plan/shared.ts";
import type { BlobStore } from "../../tree/blob-store.ts";
import { bytesContent, treeDigest, type FileNode } from "../../tree/node.ts";
import { inSpan } from "../../telemetry/span.ts";
import type { Fields } from "../resolver.ts";
import type { FileData } from "../../values/directory-data.ts";
import { resolveOwner } from "../../values/owner.ts";
import { statOf } from "../../values/stat-data.ts";

/** More than this is no text to put into an answer. */
const MAX_CONTENTS_BYTES = 128 * 1024 * 1024;

export const fileFields: Fields = {
  name: ({ name }: FileData) => name,
  size: async ({ node }: FileData, _args, { call }) => (await node(call)).content.size,
  stat: async ({ node, name }: FileData, _args, { call }) => statOf(await node(call), name),
  digest: async ({ node }: FileData, { excludeMetadata }: { excludeMetadata: boolean }, { call }) => {
    const file = await node(call);
    return excludeMetadata ? file.content.digest : treeDigest(file);
  },

  async contents({ node, name }: FileData, { offsetLines, limitLines }: { offsetLines?: number | null; limitLines?: number | null }, { call, engine }) {
    const file = await node(call);
    if (file.content.size > MAX_CONTENTS_BYTES) throw new Error(`file size ${file.content.size} exceeds limit ${MAX_CONTENTS_BYTES} of contents: ${name}`);
    const bytes = await engine.store.read(file.content);
    return selectLines(bytes.toString(), offsetLines ?? 0, limitLines ?? -1);
  },

  async export({ node, name }: FileData, { path, allowParentDirPath }: { path: string; allowParentDirPath: boolean }, { call, host, engine }) {
    const { content, mode } = await node(call);
    const file = { path, content, mode: mode & 0o777, originalName: name, allowParentDirPath };
    return inSpan(call.span, `export ${path}`, () => host.writeFile(file, engine.store, call));
  },

  async sync({ node }: FileData, _args, { call, session }, parent) {
    await node(call);
    return session.objects.idOf(parent);
  },

  withName(file: FileData, { name }: { name: string }): FileData {
    if (name.includes("/")) throw new Error(`file name "${name}" must not contain a directory`);
    if (name === "") return { ...file, name, node: async () => Promise.reject(new Error("rename to an empty name: file exists")) };
    return { ...file, name };
  },

  withTimestamps: (file: FileData, { timestamp }: { timestamp: number }): FileData =>
    changed(file, async (node) => ({ ...node, modTimeNs: BigInt(timestamp) * 1_000_000_000n })),

  chown: (file: FileData, { owner }: { owner: string }): FileData => ({
    ...file,
    node: shared(async (call) => ({ ...(await file.node(call)), ...(await resolveOwner(owner, call, async () => undefined)) })),
  }),

  withReplaced: (file: FileData, args: ReplaceArguments, { engine }): FileData => changed(file, (node) => replaced(node, args, engine.store)),
};

interface ReplaceArguments {
  readonly search: string;
  readonly replacement: string;
  readonly all: boolean;
  readonly firstFrom?: number | null;
}

function changed(file: FileData, change: (node: FileNode) => Promise<FileNode>): FileData {
  return { ...file, node: shared(async (call) => change(await file.node(call))) };
}

/** Lines from `offset` (counted from 0), at most `limit`; a negative limit or offset means none. */
function selectLines(text: string, offset: number, limit: number): string {
  if (offset <= 0 && limit < 0) return text;
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const from = Math.max(0, offset);
  return lines.slice(from, limit < 0 ? undefined : from + limit).join("");
}

async function replaced(node: FileNode, { search, replacement, all, firstFrom }: ReplaceArguments, store: BlobStore): Promise<FileNode> {
  const text = (await store.read(node.content)).toString();
  const from = firstFrom === undefined || firstFrom === null ? 0 : lineStart(text, firstFrom);
  const places = occurrences(text, search, from);
  if (places.length === 0) throw new Error("search string not found");
  if (places.length > 1 && !all && (firstFrom === undefined || firstFrom === null)) {
    throw new Error(
      `search string found multiple times: ${places
        .slice(0, MAX_SHOWN)
        .map((at) => placeText(text, at, search))
        .join(", ")}`,
    );
  }
  const chosen = all ? places : places.slice(0, 1);
  let result = text;
  for (const at of chosen.toReversed()) result = result.slice(0, at) + replacement + result.slice(at + search.length);
  return { ...node, content: bytesContent(Buffer.from(result)) };
}

const MAX_SHOWN = 3;

function occurrences(text: string, search: string, from: number): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(search, from); at >= 0 && at < text.length; at = text.indexOf(search, at + Math.max(1, search.length))) places.push(at);
  return places;
}

function lineStart(text: string, line: number): number {
  let at = 0;
  for (let current = 1; current < line; current++) {
    const end = text.indexOf("\n", at);
    if (end < 0) return text.length;
    at = end + 1;
  }
  return at;
}

/** `line 1 (4-5)`: line from 1, bytes within it. */
function placeText(text: string, at: number, search: string): string {
  const before = text.slice(0, at);
  const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1));
  return `line ${before.split("\n").length} (${column}-${column + Buffer.byteLength(search)})`;
}
