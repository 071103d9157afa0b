import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** What a test tree holds by path: a file's text, `null` for a directory, a link's target. */
export type TestTree = Readonly<Record<string, string | null | { readonly link: string }>>;

/** A directory that is removed when the test is over; its real path. */
export function makeTestDirectory(tree: TestTree = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "anyrunner-test-filesync-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(tree)) {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    if (content === null) mkdirSync(full, { recursive: true });
    else if (typeof content === "string") writeFileSync(full, content);
    else symlinkSync(content.link, full);
  }
  return root;
}

/** Everything below a directory, as `makeTestDirectory` takes it; follows no link. */
export function readTestTree(root: string, prefix = ""): TestTree {
  const tree: Record<string, string | null | { readonly link: string }> = {};
  for (const name of readdirSync(join(root, prefix)).sort()) {
    const path = prefix === "" ? name : `${prefix}/${name}`;
    const stats = lstatSync(join(root, path));
    if (stats.isSymbolicLink()) tree[path] = { link: readlinkSync(join(root, path)) };
    else if (stats.isDirectory()) Object.assign(tree, { [path]: null }, readTestTree(root, path));
    else tree[path] = stats.isFile() ? readFileSync(join(root, path), "utf8") : "";
  }
  return tree;
}
