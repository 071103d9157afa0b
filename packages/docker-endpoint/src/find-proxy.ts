import { BlockList, isIP } from "node:net";

import { RunnerError } from "@anyrunner/core";

/** An HTTP proxy, and the variable that names it. */
export interface HttpProxy {
  readonly url: URL;
  readonly variable: string;
}

export interface FindProxyOptions {
  readonly hostname: string;
  readonly port: number;
  readonly tls: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The proxy for a TCP host, as the docker CLI finds it (Go's `http.ProxyFromEnvironment`): HTTPS_PROXY for TLS, else HTTP_PROXY, unless
 * NO_PROXY names the host; never for this machine. Upper case goes before lower. Fails with INVALID_CONFIG.
 */
export function findProxy({ hostname, port, tls, env }: FindProxyOptions): HttpProxy | undefined {
  const variable = [tls ? "HTTPS_PROXY" : "HTTP_PROXY", tls ? "https_proxy" : "http_proxy"].find((name) => env[name]);
  if (variable === undefined || isThisMachine(hostname)) return undefined;
  if (isExcluded({ hostname, port }, env["NO_PROXY"] || env["no_proxy"] || "")) return undefined;
  const text = env[variable] as string;
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || url.hostname === "") throw new RunnerError("INVALID_CONFIG", `${variable} is no URL of a proxy`, { hint: "write http://HOST:PORT" });
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new RunnerError("INVALID_CONFIG", `${variable} names a proxy by ${url.protocol}//, which Docker hosts can't be reached through here`, {
      hint: "name an HTTP proxy, or put the host into NO_PROXY",
    });
  }
  return { url, variable };
}

function isThisMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function isExcluded({ hostname, port }: { readonly hostname: string; readonly port: number }, list: string): boolean {
  return list
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== "")
    .some((entry) => matches(hostname.toLowerCase(), port, entry));
}

function matches(hostname: string, port: number, entry: string): boolean {
  if (entry === "*") return true;
  const [, network, prefix] = /^([0-9a-f.:]+)\/(\d+)$/.exec(entry) ?? [];
  if (network !== undefined) return isInNetwork(hostname, network, Number(prefix));
  const [, name = entry, wantedPort] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  if (wantedPort !== undefined && Number(wantedPort) !== port) return false;
  const plain = name.replace(/^\[(.*)\]$/, "$1").replace(/^\*(?=\.)/, "");
  // A name stands for its subdomains, too; with a dot before it for those alone.
  return plain.startsWith(".") ? hostname.endsWith(plain) : hostname === plain || hostname.endsWith(`.${plain}`);
}

function isInNetwork(hostname: string, network: string, prefix: number): boolean {
  const family = isIP(hostname);
  if (family === 0 || isIP(network) !== family || prefix > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(hostname, type);
}
