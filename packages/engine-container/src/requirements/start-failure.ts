import type { ErrorCode } from "@anyrunner/core";

/** What an engine needs of the machine, the daemon or its container. */
export type Requirement = "privileges" | "state-folder" | "cgroups" | "nat" | "disk" | "port" | "lock" | "configuration" | "image";

/** Why an engine did not start. */
export interface StartFailure {
  readonly requirement: Requirement;
  readonly code: ErrorCode;
  /** The rest of a sentence that begins with the engine. */
  readonly reason: string;
  /** Imperative. */
  readonly remedy: string;
}

interface KnownFailure extends StartFailure {
  readonly pattern: RegExp;
}

/** The more telling ones first: an engine that lacks privileges fails in many words. The texts are those of engine 0.21.8, runc and the kernel. */
const KNOWN: readonly KnownFailure[] = [
  {
    pattern: /could not lock \S*dagger-engine\.lock/i,
    requirement: "lock",
    code: "ALREADY_EXISTS",
    reason: "finds its state folder in use by another engine",
    remedy: "stop the other one, or choose another volume with volume=",
  },
  {
    pattern: /failed to parse config|failed to load config/i,
    requirement: "configuration",
    code: "INVALID_CONFIG",
    reason: "does not understand its engine.json",
    remedy: "correct the file (keys that this version of the engine doesn't know are refused), or write config=none",
  },
  {
    pattern: /no space left on device|database or disk is full|disk quota exceeded/i,
    requirement: "disk",
    code: "NOT_AVAILABLE",
    reason: "finds no room on the disk of its state folder",
    remedy: "make room: anyrunner du, anyrunner prune, docker system prune",
  },
  {
    pattern: /(listen|bind)[^\n]*address already in use/i,
    requirement: "port",
    code: "ALREADY_EXISTS",
    reason: "finds its port taken",
    remedy: "choose another port=, or stop the program that has it",
  },
  {
    pattern: /can't initialize ip6?tables table|iptables[^\n]*table does not exist|nat table|do you need to insmod|kernel needs to be upgraded/i,
    requirement: "nat",
    code: "NOT_AVAILABLE",
    reason: "finds no nat tables in the kernel, by which it gives containers a network",
    remedy: "load them as root: modprobe iptable_nat (or nft_chain_nat)",
  },
  {
    pattern: /cgroup[^\n]*(read-only file system|not found|no such file|does not exist|permission denied|not supported|no such device)|no cgroup mount/i,
    requirement: "cgroups",
    code: "NOT_AVAILABLE",
    reason: "can't use the cgroups of the machine",
    remedy: "let the daemon hand writable cgroups to privileged containers, or use a runner elsewhere",
  },
  {
    pattern: /overlay(fs)?[^\n]*(invalid argument|not supported|wrong fs type|upperdir)/i,
    requirement: "state-folder",
    code: "NOT_AVAILABLE",
    reason: "can't mount its layers where its state folder lies",
    remedy: "keep /var/lib/dagger on a volume of a real disk: leave mount= away, or put the daemon's folder on one",
  },
  {
    pattern: /exec format error/i,
    requirement: "image",
    code: "UNSUPPORTED",
    reason: "is built for another kind of processor",
    remedy: "use an image for this machine's, or name it with platform=",
  },
  {
    pattern: /flag provided but not defined/i,
    requirement: "image",
    code: "UNSUPPORTED",
    reason: "does not know an argument that it was started with",
    remedy: "use the image of a Dagger engine, 0.21.1 or newer",
  },
  {
    pattern: /dagger-engine: [^\n]*(operation not permitted|permission denied)|remount[^\n]*operation not permitted/i,
    requirement: "privileges",
    code: "PERMISSION_DENIED",
    reason: "has no CAP_SYS_ADMIN, without which it can't run containers",
    remedy: "use a daemon that allows privileged containers, a runner elsewhere, or embedded://",
  },
];

/** What the log of an engine that did not start says of the reason; `undefined` when it says nothing that is known. */
export function explainStartFailure(log: string): StartFailure | undefined {
  const found = KNOWN.find(({ pattern }) => pattern.test(log));
  if (found === undefined) return undefined;
  const { pattern: _, ...failure } = found;
  return failure;
}
