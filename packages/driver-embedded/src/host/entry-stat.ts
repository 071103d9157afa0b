import { fileStat, MODE, posixPermissions, isDirectory, isSymlink, type FileStat } from "@anyrunner/filesync";

import type { Attributes, Content, TreeNode } from "../tree/node.ts";

/** A node as a transfer lists it. */
export function entryStat(path: string, node: TreeNode): FileStat {
  return fileStat({
    path,
    mode: goMode(node),
    uid: node.uid,
    gid: node.gid,
    modTimeNs: node.modTimeNs,
    ...(node.kind === "file" ? { size: node.content.size } : {}),
    ...(node.kind === "link" ? { size: Buffer.byteLength(node.target), linkname: node.target } : {}),
    ...(node.kind === "char" || node.kind === "block" ? { devmajor: node.major, devminor: node.minor } : {}),
  });
}

function goMode(node: TreeNode): number {
  const types = {
    file: 0,
    folder: MODE.DIRECTORY,
    link: MODE.SYMLINK,
    fifo: MODE.NAMED_PIPE,
    char: MODE.DEVICE | MODE.CHARACTER_DEVICE,
    block: MODE.DEVICE,
  } as const;
  const special = (node.mode & 0o4000 ? MODE.SETUID : 0) | (node.mode & 0o2000 ? MODE.SETGID : 0) | (node.mode & 0o1000 ? MODE.STICKY : 0);
  return (types[node.kind] | special | (node.mode & 0o777)) >>> 0;
}

/** A node as a listing describes it; `content` is what was transferred, or known from before. Sockets have none. */
export function statNode(stat: FileStat, content: Content | undefined): TreeNode {
  const attributes: Attributes = { mode: posixPermissions(stat.mode), uid: stat.uid, gid: stat.gid, modTimeNs: stat.modTimeNs };
  if (isDirectory(stat.mode)) return { kind: "folder", ...attributes, entries: new Map() };
  if (isSymlink(stat.mode)) return { kind: "link", ...attributes, target: stat.linkname };
  if (content !== undefined) return { kind: "file", ...attributes, content };
  const device = { major: stat.devmajor, minor: stat.devminor };
  if ((stat.mode & MODE.CHARACTER_DEVICE) !== 0) return { kind: "char", ...attributes, ...device };
  if ((stat.mode & MODE.DEVICE) !== 0) return { kind: "block", ...attributes, ...device };
  return { kind: "fifo", ...attributes, ...device };
}
