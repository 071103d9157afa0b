/** One entry of a listing, as `fsutil.types.Stat` carries it (engine protocol 5.2). */
export interface FileStat {
  /** Relative to the root of the transfer, `/`-separated. */
  readonly path: string;
  /** Go FileMode, unsigned: see `isDirectory`, `isRegular`, `posixMode`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for directories. */
  readonly size: number;
  /** Unix time in nanoseconds. */
  readonly modTimeNs: bigint;
  /** Target of a symbolic link; for a further hard link, the path that was listed first. */
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
  /** Listed only so that the numbering is the same on both sides; its content is never served. */
  readonly gitIgnored: boolean;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

/** A stat in which everything that is not given is zero, as an absent protobuf field is. */
export function fileStat(fields: Partial<FileStat>): FileStat {
  return {
    path: fields.path ?? "",
    mode: fields.mode ?? 0,
    uid: fields.uid ?? 0,
    gid: fields.gid ?? 0,
    size: fields.size ?? 0,
    modTimeNs: fields.modTimeNs ?? 0n,
    linkname: fields.linkname ?? "",
    devmajor: fields.devmajor ?? 0,
    devminor: fields.devminor ?? 0,
    gitIgnored: fields.gitIgnored ?? false,
    xattrs: fields.xattrs ?? NO_XATTRS,
  };
}
