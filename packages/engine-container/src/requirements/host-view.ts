import { readdir, readFile, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";

/** What can be seen of this machine; tests show another one. */
export interface HostView {
  readonly platform: NodeJS.Platform;
  /** `undefined` for what can't be read. */
  readText(path: string): Promise<string | undefined>;
  /** Names in a folder; empty for what can't be read. */
  list(path: string): Promise<readonly string[]>;
  /** `undefined` for what can't be seen from here. */
  fileSystem(path: string): Promise<FileSystemFacts | undefined>;
  /** Whether something could listen there. */
  isPortFree(address: string, port: number): Promise<boolean>;
  /** Whether an address is one of this machine's. Default: it is. */
  hasAddress?(address: string): boolean;
}

export interface FileSystemFacts {
  /** The kernel's number of the kind of file system. */
  readonly type: number;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export const thisHost: HostView = {
  platform: process.platform,
  readText: (path) => readFile(path, "utf8").catch(() => undefined),
  list: (path) => readdir(path).catch(() => []),
  fileSystem: (path) =>
    statfs(path).then(
      ({ type, bsize, blocks, bavail }) => ({ type, totalBytes: blocks * bsize, freeBytes: bavail * bsize }),
      () => undefined,
    ),
  isPortFree: (address, port) =>
    new Promise((resolve) => {
      const server = createServer();
      // A port that this user may not open can be free for the daemon, which is root's.
      server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "EACCES"));
      server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
    }),
  hasAddress: (address) =>
    ["0.0.0.0", "::"].includes(address) ||
    // All of 127.0.0.0/8 is the loopback's.
    address.startsWith("127.") ||
    Object.values(networkInterfaces()).some((known) => known?.some((own) => own.address === address)),
};
