import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import manifest from "../template/package.json" with { type: "json" };

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const TEMPLATE = join(PACKAGE, "template");

/** Only the template's own runners live in memory; and what tools leave behind is none of it. */
const LEFT_OUT = new Set(["node_modules", "dist", "package.json", "in-memory.ts"]);
/** npm leaves files of these names out of tarballs, or heeds them. */
const DOTTED: Readonly<Record<string, string>> = { gitignore: ".gitignore", "oxlintrc.json": ".oxlintrc.json" };

/** The files of a new package but its manifest, by path in it, as the template has them. Where `x.start.ts` stands beside `x.ts`, it is taken in its place. */
export function templateFiles(): ReadonlyMap<string, string> {
  const files = readdirSync(TEMPLATE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(TEMPLATE.length + 1)
        .replaceAll("\\", "/"),
    )
    .filter((file) => !file.split("/").some((part) => LEFT_OUT.has(part) || part.startsWith(".")));
  const chosen = files.filter((file) => !(file.endsWith(".ts") && files.includes(file.replace(/\.ts$/, ".start.ts"))));
  return new Map(chosen.toSorted().map((file) => [DOTTED[file] ?? file.replace(/\.start\.ts$/, ".ts"), readFileSync(join(TEMPLATE, file), "utf8")]));
}

/** A manifest, as far as a new package's is made from it. */
export interface TemplateManifest {
  readonly [key: string]: unknown;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Bundled, since a package may hold no second package.json. */
export function templateManifest(): TemplateManifest {
  return manifest;
}

/** The versions of what a new package depends on: this package's manifest has them, and a release of it writes the real ones there. */
export function knownVersions(): Readonly<Record<string, string>> {
  return (JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { readonly devDependencies: Readonly<Record<string, string>> }).devDependencies;
}
