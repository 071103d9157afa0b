import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { RunnerError } from "@anyrunner/core";
import type { ServeBridgeOptions } from "@anyrunner/engine";

import type { CommandContext } from "./command-context.ts";

export interface BridgeAddress extends Pick<ServeBridgeOptions, "listen" | "identity"> {
  /** What stands behind the address for clients: `?…`, or "". */
  readonly parameters: string;
}

/** What `--listen` and `--certs` mean. Fails with USAGE, or NOT_FOUND and PERMISSION_DENIED for the files of the certificates. */
export async function bridgeAddress(
  { cwd }: CommandContext,
  { listen: text, certs }: { readonly listen?: string | undefined; readonly certs?: string | undefined },
): Promise<BridgeAddress> {
  const { parseListenUrl } = await import("@anyrunner/engine");
  const listen = text === undefined ? undefined : parseListenUrl(text);
  if (certs === undefined) return { listen, parameters: "" };
  if (listen?.kind !== "tls") throw new RunnerError("USAGE", "--certs is for tls:// alone", { hint: "add --listen tls://127.0.0.1:0, or leave --certs out" });
  const { CERTIFICATE_FILES } = await import("@anyrunner/driver-socket/certs");
  const folder = resolve(cwd, certs);
  const [server, ca] = await Promise.all([CERTIFICATE_FILES.server, CERTIFICATE_FILES.authority].map((name) => readPem(join(folder, name))));
  const client = join(folder, CERTIFICATE_FILES.client);
  const files = { ca_path: join(folder, CERTIFICATE_FILES.authority), cert_path: client, key_path: client };
  return {
    listen,
    identity: { cert: server as string, key: server as string, ca: ca as string },
    parameters: `?${Object.entries(files)
      .map(([name, path]) => `${name}=${path.split("/").map(encodeURIComponent).join("/")}`)
      .join("&")}`,
  };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const denied = (error as NodeJS.ErrnoException).code === "EACCES";
    throw new RunnerError(denied ? "PERMISSION_DENIED" : "NOT_FOUND", denied ? `this user may not read ${path}` : `there is no ${path}`, {
      cause: error,
      hint: denied ? "change its owner or mode" : "make certificates with `anyrunner certs create FOLDER --host NAME`, or correct --certs",
    });
  }
}
