/** The bits of Go's `os.FileMode`, which is what the protocol carries; all unsigned. */
export const MODE = {
  DIRECTORY: 0x80000000,
  SYMLINK: 0x08000000,
  DEVICE: 0x04000000,
  NAMED_PIPE: 0x02000000,
  SOCKET: 0x01000000,
  SETUID: 0x00800000,
  SETGID: 0x00400000,
  CHARACTER_DEVICE: 0x00200000,
  STICKY: 0x00100000,
  IRREGULAR: 0x00080000,
} as const;

const TYPE_MASK = 0x8f280000;

/** Go's FileMode of a POSIX `st_mode` (a number, or the bigint of a bigint stat). */
export function goFileMode(stats: { readonly mode: number | bigint }): number {
  const posix = Number(stats.mode);
  let mode = posix & 0o777;
  if (posix & 0o4000) mode |= MODE.SETUID;
  if (posix & 0o2000) mode |= MODE.SETGID;
  if (posix & 0o1000) mode |= MODE.STICKY;
  return (mode | goType(posix & 0o170000)) >>> 0;
}

/** The POSIX `st_mode` of a Go FileMode: type, setuid, setgid, sticky and permissions. */
export function posixMode(mode: number): number {
  return posixType(mode) | posixPermissions(mode);
}

/** What `chmod` takes: permissions with setuid, setgid and sticky, without the type. */
export function posixPermissions(mode: number): number {
  let posix = mode & 0o777;
  if (mode & MODE.SETUID) posix |= 0o4000;
  if (mode & MODE.SETGID) posix |= 0o2000;
  if (mode & MODE.STICKY) posix |= 0o1000;
  return posix;
}

export function isDirectory(mode: number): boolean {
  return mode >= MODE.DIRECTORY;
}

export function isSymlink(mode: number): boolean {
  return (mode & MODE.SYMLINK) !== 0;
}

/** Whether the content may be asked for; sockets count, since a listing never carries their type bit. */
export function isRegular(mode: number): boolean {
  return (mode & TYPE_MASK) === 0;
}

function goType(type: number): number {
  switch (type) {
    case 0o100000:
      return 0;
    case 0o040000:
      return MODE.DIRECTORY;
    case 0o120000:
      return MODE.SYMLINK;
    case 0o020000:
      return MODE.DEVICE | MODE.CHARACTER_DEVICE;
    case 0o060000:
      return MODE.DEVICE;
    case 0o010000:
      return MODE.NAMED_PIPE;
    case 0o140000:
      return MODE.SOCKET;
    default:
      return MODE.IRREGULAR;
  }
}

function posixType(mode: number): number {
  if (isDirectory(mode)) return 0o040000;
  if (isSymlink(mode)) return 0o120000;
  if (mode & MODE.CHARACTER_DEVICE) return 0o020000;
  if (mode & MODE.DEVICE) return 0o060000;
  if (mode & MODE.NAMED_PIPE) return 0o010000;
  if (mode & MODE.SOCKET) return 0o140000;
  return 0o100000;
}
