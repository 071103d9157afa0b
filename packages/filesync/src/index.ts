export type { TreeEntry } from "./tree-entry.ts";
export { walkTree, type WalkTreeOptions } from "./walk-tree.ts";
