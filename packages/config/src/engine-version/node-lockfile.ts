/** What is asked of a lockfile. */
export interface LockedPackage {
  readonly name: string;
  /** Folder of the manifest, relative to the lockfile, with `/`; empty for the same folder. */
  readonly importer: string;
  /** What the manifest requires. */
  readonly requirement: string;
}

/** The lockfiles that are understood, the best first, and how each is read. */
export const NODE_LOCKFILES: readonly (readonly [file: string, read: (text: string, wanted: LockedPackage) => string | undefined])[] = [
  ["pnpm-lock.yaml", readPnpmLock],
  ["package-lock.json", readNpmLock],
  ["npm-shrinkwrap.json", readNpmLock],
  ["yarn.lock", readYarnLock],
  ["bun.lock", readBunLock],
];

function readNpmLock(text: string, { name, importer }: LockedPackage): string | undefined {
  try {
    const { packages, dependencies } = JSON.parse(text) as Record<
      "packages" | "dependencies",
      Readonly<Record<string, { readonly version?: unknown }>> | undefined
    >;
    const keys = [...(importer === "" ? [] : [`${importer}/node_modules/${name}`]), `node_modules/${name}`];
    const entry = keys.map((key) => packages?.[key]).find((found) => found !== undefined) ?? dependencies?.[name];
    return typeof entry?.version === "string" ? entry.version : undefined;
  } catch {
    return undefined;
  }
}

/** Line by line: these files have megabytes, and a parser of YAML takes seconds for them. */
function readPnpmLock(text: string, { name, importer }: LockedPackage): string | undefined {
  const lines = text.split(/\r?\n/);
  const block = pnpmImporter(lines, importer === "" ? "." : importer);
  const isKey = (line: string) => unquote(line.trim().split(": ")[0] ?? "").replace(/:$/, "") === name || line.trim() === `'${name}':`;
  // Before version 6 the file says first, under `specifiers:`, what the manifest wants, by the same key: a range is no version.
  const found = block.flatMap((line, at) => (isKey(line) ? [versionAt(block, at)] : [])).findLast((version) => version !== undefined);
  return found === undefined ? undefined : unquote(found).replace(/[(_].*$/, "");
}

/** Behind the key, or below it, beside what the manifest wants. */
function versionAt(block: readonly string[], at: number): string | undefined {
  const inline = /:\s+(\S.*)$/.exec(block[at] ?? "")?.[1];
  if (inline !== undefined) return inline;
  return block
    .slice(at + 1, at + 3)
    .map((line) => /^\s+version:\s+(\S.*)$/.exec(line)?.[1])
    .find((version) => version !== undefined);
}

function pnpmImporter(lines: readonly string[], importer: string): readonly string[] {
  const importers = lines.indexOf("importers:");
  const end = (from: number, isEnd: (line: string) => boolean) => {
    const found = lines.findIndex((line, index) => index >= from && isEnd(line));
    return found < 0 ? lines.length : found;
  };
  // Without that section the file has one project, whose dependencies stand at the top.
  if (importers < 0)
    return lines.slice(
      0,
      end(0, (line) => line === "packages:"),
    );
  const start = lines.findIndex((line, index) => index > importers && /^ {2}\S/.test(line) && unquote(line.trim().replace(/:$/, "")) === importer);
  return start < 0
    ? []
    : lines.slice(
        start + 1,
        end(start + 1, (line) => /^ {0,2}\S/.test(line)),
      );
}

/** Blocks of `"name@npm:^1.0.0":` or `name@^1.0.0:` with a version line below. */
function readYarnLock(text: string, { name, requirement }: LockedPackage): string | undefined {
  const found = text.split(/\r?\n\s*\r?\n/).flatMap((block) => {
    const [head = "", ...rest] = block
      .trim()
      .split(/\r?\n/)
      .filter((line) => !line.startsWith("#"));
    const requirements = head
      .replaceAll('"', "")
      .replace(/:$/, "")
      .split(/,\s*/)
      .filter((entry) => entry.startsWith(`${name}@`));
    const version = rest.map((line) => /^\s+version:? "?([^"\s]+)"?$/.exec(line)?.[1]).find((value) => value !== undefined);
    return requirements.length === 0 || version === undefined ? [] : [{ requirements, version }];
  });
  const meant = found.find(({ requirements }) => requirements.some((entry) => entry.endsWith(`@${requirement}`) || entry.endsWith(`:${requirement}`)));
  return (meant ?? found[0])?.version;
}

function readBunLock(text: string, { name }: LockedPackage): string | undefined {
  const marker = `"${name}": ["${name}@`;
  const at = text.indexOf(marker);
  return at < 0 ? undefined : /^[^"]+/.exec(text.slice(at + marker.length))?.[0];
}

function unquote(text: string): string {
  return text.replace(/^(['"])(.*)\1$/, "$2");
}
