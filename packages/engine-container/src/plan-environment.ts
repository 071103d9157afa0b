import type { EngineImage } from "./engine-image.ts";

export interface PlannedEnvironment {
  readonly env: Readonly<Record<string, string>>;
  readonly extraHosts: readonly string[];
}

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"] as const;
/** The name under which container runtimes know the machine that they run on. */
const HOST_NAME = "host.docker.internal";

/**
 * The engine's variables, the user's own last. A proxy that listens on this machine's loopback is addressed as the machine, since
 * the loopback of a container is another one.
 */
export function planEnvironment(
  image: EngineImage,
  options: { readonly env: Readonly<Record<string, string | undefined>>; readonly gpu: boolean; readonly metricsAddress: string },
): PlannedEnvironment {
  const { env: caller, gpu, metricsAddress } = options;
  const proxies = planProxies(image.proxy, caller);
  const cloudToken = caller["DAGGER_CLOUD_TOKEN"];
  const env: Record<string, string> = {
    _EXPERIMENTAL_DAGGER_METRICS_ADDR: metricsAddress,
    ...(cloudToken && { DAGGER_CLOUD_TOKEN: cloudToken }),
    ...(gpu && { _EXPERIMENTAL_DAGGER_GPU_SUPPORT: caller["_EXPERIMENTAL_DAGGER_GPU_SUPPORT"] || "true" }),
    ...proxies,
  };
  for (const text of image.env) {
    const at = text.indexOf("=");
    const value = at < 0 ? caller[text] : text.slice(at + 1);
    if (value !== undefined) env[at < 0 ? text : text.slice(0, at)] = value;
  }
  const usesHost = Object.values(proxies).some((value) => value.includes(HOST_NAME));
  return { env, extraHosts: usesHost ? [`${HOST_NAME}:host-gateway`] : [] };
}

function planProxies(proxy: string | undefined, caller: Readonly<Record<string, string | undefined>>): Record<string, string> {
  if (proxy === undefined) return {};
  const given =
    proxy === "env"
      ? Object.fromEntries(PROXY_VARIABLES.map((name) => [name, caller[name] ?? caller[name.toLowerCase()]]))
      : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: caller["NO_PROXY"] ?? caller["no_proxy"] };
  return Object.fromEntries(
    Object.entries(given)
      .filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== "")
      .map(([name, value]) => [name, name === "NO_PROXY" ? value : reachable(value)]),
  );
}

function reachable(proxy: string): string {
  if (!URL.canParse(proxy)) return proxy;
  const url = new URL(proxy);
  if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) return proxy;
  url.hostname = HOST_NAME;
  return url.href.replace(/\/$/, "");
}
