import { formatBytes } from "../format-bytes.ts";
import type { Check } from "./check.ts";
import type { FileSystemFacts, HostView } from "./host-view.ts";

export interface HostCheckOptions {
  /** Where the daemon keeps volumes and images. */
  readonly rootFolder?: string | undefined;
  /** The port that the runner's URL publishes, and its address. */
  readonly port?: { readonly address: string; readonly port: number } | undefined;
  /** An engine answers already, so that its port is rightly taken. */
  readonly engineRuns: boolean;
  /** The program that clears the runtime's disk by `system prune`. Default `docker`. */
  readonly command?: string | undefined;
  /** The names of the bridges of its networks. Default: those of Docker and Podman. */
  readonly bridges?: RegExp | undefined;
}

const OVERLAY = 0x794c7630;
const CAP_SYS_ADMIN = 21n;
/** Of the disk: engines keep that much free by default, and throw their cache away to reach it (engine protocol 8.3). */
const FREE_SHARE = 0.2;
const FREE_BYTES = 10 * 1024 ** 3;

/** What an engine on this very machine needs of it, as far as it can be seen without being root. */
export async function hostChecks(host: HostView, options: HostCheckOptions): Promise<readonly Check[]> {
  if (host.platform !== "linux")
    return [{ id: "host", status: "skipped", detail: "engines run in a virtual machine of this system, which can't be seen from here" }];
  const disk = options.rootFolder === undefined ? undefined : await host.fileSystem(options.rootFolder);
  const checks = await Promise.all([checkCapabilities(host), checkNat(host), checkMtu(host, options), checkPort(host, options)]);
  return [...checks.filter((check) => check !== undefined), ...diskChecks(disk, options)];
}

async function checkCapabilities(host: HostView): Promise<Check> {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec((await host.readText("/proc/self/status")) ?? "")?.[1];
  if (bounding === undefined) return { id: "host.privileges", status: "skipped", detail: "the capabilities of this process can't be read" };
  if ((BigInt(`0x${bounding}`) >> CAP_SYS_ADMIN) & 1n) return { id: "host.privileges", status: "ok", detail: "CAP_SYS_ADMIN may be had here" };
  return {
    id: "host.privileges",
    status: "warning",
    detail: "processes here can't have CAP_SYS_ADMIN: this is an unprivileged container, and an engine inside it would not start",
    remedy: "run the engine elsewhere (a daemon outside, ssh://, kube-pod://), or make this container privileged",
  };
}

async function checkNat(host: HostView): Promise<Check> {
  const tables = (await host.readText("/proc/net/ip_tables_names")) ?? "";
  const modules = await host.list("/sys/module");
  const seen = ["nf_nat", "iptable_nat", "nft_chain_nat"].filter((name) => modules.includes(name));
  if (/^nat$/m.test(tables) || seen.length > 0) return { id: "host.nat", status: "ok", detail: "the kernel has nat tables" };
  return {
    id: "host.nat",
    status: "warning",
    detail: "no nat table is loaded; engines give their containers a network by it",
    remedy: "load it as root: modprobe iptable_nat (or nft_chain_nat)",
  };
}

/** Packets of containers that are too large for the way out are lost where fragmentation is refused: downloads hang. */
async function checkMtu(host: HostView, { command, bridges = /^(docker0|br-|podman\d|cni-podman)/ }: HostCheckOptions): Promise<Check | undefined> {
  const routes = ((await host.readText("/proc/net/route")) ?? "").split("\n").slice(1);
  const outside = routes.map((line) => line.split("\t")).find(([, destination]) => destination === "00000000")?.[0];
  const mtuOf = async (name: string) => Number((await host.readText(`/sys/class/net/${name}/mtu`))?.trim() ?? Number.NaN);
  if (outside === undefined) return { id: "host.mtu", status: "skipped", detail: "there is no default route" };
  const outsideMtu = await mtuOf(outside);
  for (const bridge of (await host.list("/sys/class/net")).filter((name) => bridges.test(name))) {
    const mtu = await mtuOf(bridge);
    if (mtu > outsideMtu) {
      return {
        id: "host.mtu",
        status: "warning",
        detail: `containers on ${bridge} send packets of ${mtu} bytes, but ${outside} carries ${outsideMtu}: downloads may hang`,
        remedy:
          command === "podman"
            ? `make a network with that MTU: podman network create --opt mtu=${outsideMtu} NAME; then network=NAME`
            : `set "mtu": ${outsideMtu} in the daemon's configuration, or use a network with that MTU`,
      };
    }
  }
  return Number.isNaN(outsideMtu) ? undefined : { id: "host.mtu", status: "ok", detail: `${outsideMtu} bytes on ${outside}` };
}

async function checkPort(host: HostView, { port, engineRuns }: HostCheckOptions): Promise<Check | undefined> {
  if (port === undefined || engineRuns) return undefined;
  const where = `${port.address}:${port.port}`;
  if (host.hasAddress?.(port.address) === false) {
    return {
      id: "host.address",
      status: "failed",
      detail: `this machine has no address ${port.address}, at which the engine shall be published`,
      remedy: "write an address of this machine into port=, or the port alone",
    };
  }
  if (await host.isPortFree(port.address, port.port)) return { id: "host.port", status: "ok", detail: `${where} is free` };
  return {
    id: "host.port",
    status: "failed",
    detail: `something else listens on ${where}, which the engine shall publish`,
    remedy: "end it, or write another port= into the URL",
  };
}

function diskChecks(disk: FileSystemFacts | undefined, { rootFolder: folder, command = "docker" }: HostCheckOptions): readonly Check[] {
  if (folder === undefined) return [];
  if (disk === undefined) return [{ id: "host.disk", status: "skipped", detail: `${folder} can't be seen from here` }];
  const free = `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)} free at ${folder}`;
  const isScarce = disk.freeBytes < FREE_BYTES || disk.freeBytes < disk.totalBytes * FREE_SHARE;
  return [
    isScarce
      ? {
          id: "host.disk",
          status: "warning",
          detail: `${free}: engines throw their cache away to keep a fifth free`,
          remedy: `make room: anyrunner du, anyrunner prune, ${command} system prune`,
        }
      : { id: "host.disk", status: "ok", detail: free },
    disk.type === OVERLAY
      ? {
          id: "host.overlay",
          status: "failed",
          detail: `${folder} lies on overlayfs itself, on which an engine's /var/lib/dagger can't be`,
          remedy: `put that folder on a real disk: a volume at ${folder} of the container that it lies in`,
        }
      : { id: "host.overlay", status: "ok", detail: "volumes don't lie on overlayfs" },
  ];
}
