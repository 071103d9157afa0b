import type { RequestOptions } from "node:https";

import { orAborted, RunnerError, throwIfAborted } from "@anyrunner/core/driver";

import { readClusterConfig, type ClusterLocation, type ClusterSource } from "./cluster-config.ts";

/** A cluster's API server with credentials that are fresh: made for one call, not kept. */
export interface Cluster {
  /** `https://HOST:PORT`, perhaps with a path. */
  readonly server: string;
  /** For messages: the server, and the context that named it. */
  readonly where: string;
  /** The namespace of the context or of the service account. */
  readonly namespace: string;
  /** Agent, TLS and authorization for node:https and for a WebSocket. */
  readonly options: RequestOptions;
  /** What must never be shown. */
  readonly secrets: readonly string[];
}

/**
 * Reads the configuration and its credentials anew: tokens rotate, and plugins are asked each time. The client library is loaded here,
 * since that takes a second. Fails with INVALID_CONFIG, AUTH_FAILED (a credential plugin), ABORTED.
 */
export async function openCluster(location: ClusterLocation, source: ClusterSource, signal: AbortSignal | undefined): Promise<Cluster> {
  throwIfAborted(signal);
  return orAborted(open(location, source), signal);
}

async function open(location: ClusterLocation, source: ClusterSource): Promise<Cluster> {
  const kubeconfig = await readClusterConfig(location, source);
  const server = kubeconfig.clusters?.[0]?.cluster?.server ?? "";
  const where = location.kind === "in-cluster" ? `${server} (this pod's service account)` : `${server} (context ${location.context})`;
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  const options: RequestOptions & { headers: Record<string, string> } = { headers: {} };
  try {
    // JSON is YAML; in this form nothing of ours is read twice.
    config.loadFromString(JSON.stringify(kubeconfig));
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw credentialError(error, where, kubeconfig.users?.[0]?.user?.exec?.command);
  }
  const authorization = options.headers["Authorization"];
  if (authorization !== undefined) options.headers["Authorization"] = authorization.trim();
  return {
    server: server.replace(/\/+$/, ""),
    where,
    namespace: kubeconfig.contexts?.[0]?.context?.namespace ?? "default",
    options,
    secrets: authorization === undefined ? [] : [authorization.replace(/^\w+ /, "").trim()],
  };
}

function credentialError(error: unknown, where: string, plugin: string | undefined): RunnerError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (plugin !== undefined && code === "ENOENT") {
    return new RunnerError("AUTH_FAILED", `the credential plugin "${plugin}" for ${where} is not installed`, {
      hint: `install ${plugin}, or put it on PATH`,
      cause: error,
      driver: "kubernetes",
    });
  }
  if (plugin !== undefined) {
    return new RunnerError(
      "AUTH_FAILED",
      `the credential plugin "${plugin}" for ${where} failed: ${(message ?? "").trim().split("\n").at(-1)?.slice(0, 300)}`,
      {
        hint: `run ${plugin} by hand; log in again where it says so`,
        driver: "kubernetes",
      },
    );
  }
  return new RunnerError("INVALID_CONFIG", `the credentials for ${where} can't be used: ${message}`, {
    hint: "check the user of that context in the kubeconfig",
    cause: error,
    driver: "kubernetes",
  });
}
