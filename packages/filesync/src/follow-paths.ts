import type { Disk } from "./disk.ts";
import { compileComponent } from "./glob.ts";
import { cleanPath } from "./path-order.ts";

/**
 * The paths that must be in a listing for each of `paths` to resolve inside it: every symbolic link met on the way and
 * its final target, relative to `root` (an absolute target is taken to lie below the root). Components may have
 * wildcards. Sorted; undefined if one of them is the root itself, which then needs no filter.
 */
export function followPaths(options: { readonly root: string; readonly paths: readonly string[]; readonly disk: Disk }): readonly string[] | undefined {
  const resolved = new Set<string>();
  for (const path of options.paths) follow(path, resolved, (current) => readTargets(options, current));
  return withoutNested([...resolved].sort());
}

/** Leaves out what lies below the path in front of it; undefined if the root is among them. */
export function withoutNested(paths: readonly string[]): readonly string[] | undefined {
  const kept: string[] = [];
  for (const path of paths) {
    if (path === ".") return undefined;
    if (!path.startsWith(`${kept.at(-1) ?? ""}/`)) kept.push(path);
  }
  return kept;
}

function follow(path: string, resolved: Set<string>, readLinks: (path: string) => readonly string[] | undefined): void {
  const components = relative(path).split("/");
  for (let index = 0; index < components.length; index++) {
    const current = cleanPath(components.slice(0, index + 1).join("/"));
    const targets = readLinks(current);
    const last = index === components.length - 1;
    if ((last || targets !== undefined) && resolved.has(current)) return;
    if (targets === undefined && !last) continue;
    resolved.add(current);
    const rest = components.slice(index + 1).join("/");
    for (const target of targets ?? []) follow(`${target}/${rest}`, resolved, readLinks);
    return;
  }
}

/** Where the links at `path` point, relative to the root; undefined if it isn't a link, nor a wildcard that finds some. */
function readTargets(where: { readonly root: string; readonly disk: Disk }, path: string): readonly string[] | undefined {
  const slash = path.lastIndexOf("/");
  const [parent, name] = slash === -1 ? [".", path] : [path.slice(0, slash), path.slice(slash + 1)];
  if (!/[*?[]/.test(name.replaceAll(/\\./g, ""))) {
    const target = path === "." ? undefined : readTarget(where, path);
    return target === undefined ? undefined : [target];
  }
  const matches = compileComponent(name);
  const items = where.disk.readDirectory(`${where.root}/${parent}`) ?? [];
  const found = items.filter((item) => matches(item.name)).map((item) => readTarget(where, cleanPath(`${parent}/${item.name}`)));
  const targets = found.filter((target) => target !== undefined);
  return targets.length === 0 ? undefined : targets;
}

function readTarget(where: { readonly root: string; readonly disk: Disk }, path: string): string | undefined {
  const full = `${where.root}/${path}`;
  if (where.disk.lstat(full)?.isSymbolicLink() !== true) return undefined;
  const target = where.disk.readLink(full);
  if (target === undefined) return undefined;
  return target.startsWith("/") ? relative(target) : relative(`/${path}/../${target}`);
}

function relative(path: string): string {
  const inside = cleanPath(`/${path}`).slice(1);
  return inside === "" ? "." : inside;
}
