import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";

import { RunnerError, suggest, type JsonObject } from "@anyrunner/core/driver";

import { mergeKubeconfigs, narrowKubeconfig, type Kubeconfig } from "./kubeconfig.ts";

/** Where the configuration of a cluster's client is: paths, never what they hold. */
export type ClusterLocation = KubeconfigLocation | InClusterLocation;

interface KubeconfigLocation extends JsonObject {
  readonly kind: "kubeconfig";
  /** Absolute, best first. */
  readonly files: readonly string[];
  readonly context: string;
}

interface InClusterLocation extends JsonObject {
  readonly kind: "in-cluster";
  /** `https://HOST:PORT` as the pod's environment has it. */
  readonly server: string;
}

export interface ClusterSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that a pod's service account is mounted at. */
  readonly serviceAccountDirectory: string;
}

export const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Where the configuration is, as kubectl looks for it: the files of `KUBECONFIG`, `~/.kube/config`, the service account of the pod that
 * we are in. Fails with NOT_AVAILABLE when there is none, and INVALID_CONFIG when KUBECONFIG names none or it has no such context.
 */
export async function locateCluster(source: ClusterSource, context: string | undefined): Promise<ClusterLocation> {
  const files = kubeconfigFiles(source.env);
  const found = files.filter((file) => readText(file) !== undefined);
  if (found.length > 0) return { kind: "kubeconfig", files: found, context: chooseContext(await readKubeconfig(found), found, context) };
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = source.env;
  if (host && readText(join(source.serviceAccountDirectory, "token")) !== undefined) {
    if (context !== undefined) {
      throw new RunnerError("INVALID_CONFIG", `there is no kubeconfig with the context "${context}": this is a pod with a service account only`, {
        hint: "leave context= away, or set KUBECONFIG",
        driver: "kubernetes",
      });
    }
    return { kind: "in-cluster", server: `https://${host.includes(":") ? `[${host}]` : host}:${port}` };
  }
  throw new RunnerError(
    source.env["KUBECONFIG"] ? "INVALID_CONFIG" : "NOT_AVAILABLE",
    `there is no kubeconfig at ${files.join(", ")}, and this is no pod with a service account`,
    {
      hint: "set KUBECONFIG to the cluster's file, or log in to the cluster with its own tool",
      driver: "kubernetes",
    },
  );
}

/** The configuration of the location as it is now. Fails with INVALID_CONFIG. */
export async function readClusterConfig(location: ClusterLocation, source: ClusterSource): Promise<Kubeconfig> {
  if (location.kind === "kubeconfig") return narrowKubeconfig({ ...(await readKubeconfig(location.files)), "current-context": location.context });
  const { serviceAccountDirectory: directory } = source;
  const token = readText(join(directory, "token"))?.trim();
  if (token === undefined || token === "") {
    throw new RunnerError("INVALID_CONFIG", `the service account's token can't be read at ${join(directory, "token")}`, {
      hint: "run in a pod that mounts its token",
      driver: "kubernetes",
    });
  }
  const namespace = readText(join(directory, "namespace"))?.trim();
  return {
    clusters: [{ name: "cluster", cluster: { server: location.server, "certificate-authority": join(directory, "ca.crt") } }],
    users: [{ name: "service-account", user: { token } }],
    contexts: [{ name: "pod", context: { cluster: "cluster", user: "service-account", ...(namespace && { namespace }) } }],
    "current-context": "pod",
  };
}

function kubeconfigFiles(env: ClusterSource["env"]): readonly string[] {
  const listed = (env["KUBECONFIG"] ?? "").split(delimiter).filter((file) => file !== "");
  if (listed.length > 0) return listed.map((file) => resolve(file));
  return [join(env["HOME"] || env["USERPROFILE"] || homedir(), ".kube", "config")];
}

function readKubeconfig(files: readonly string[]): Promise<Kubeconfig> {
  return mergeKubeconfigs(files.map((file) => ({ text: readText(file) ?? "", file, directory: dirname(file) })));
}

function chooseContext(config: Kubeconfig, files: readonly string[], wanted: string | undefined): string {
  const names = (config.contexts ?? []).map(({ name }) => name);
  const context = wanted ?? config["current-context"];
  const where = files.join(", ");
  if (!context) {
    throw new RunnerError("INVALID_CONFIG", `the kubeconfig ${where} has no current context`, {
      hint: `write context=NAME; there is ${names.join(", ") || "none"}`,
      driver: "kubernetes",
    });
  }
  if (names.includes(context)) return context;
  const nearest = suggest(context, names);
  throw new RunnerError("INVALID_CONFIG", `the kubeconfig ${where} has no context "${context}"`, {
    hint: nearest === undefined ? `it has ${names.join(", ") || "none"}` : `did you mean "${nearest}"? it has ${names.join(", ")}`,
    driver: "kubernetes",
  });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new RunnerError(code === "EACCES" ? "PERMISSION_DENIED" : "INVALID_CONFIG", `${isAbsolute(file) ? file : resolve(file)} can't be read: ${code}`, {
      cause: error,
      hint: "check the file and its mode",
      driver: "kubernetes",
    });
  }
}
