import { networkFailure, RunnerError, type ErrorCode } from "@anyrunner/core/driver";

import type { Cluster } from "./cluster.ts";

/** What the API server answers with instead of what was asked, as far as it is read. */
export interface ApiStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

type Place = Pick<Cluster, "where">;

/** Classifies what node says when the API server can't be reached or the connection breaks. */
export function clusterTransportError(error: unknown, { where }: Place): RunnerError {
  if (RunnerError.is(error)) return error;
  const { kind, errno = "" } = networkFailure(error);
  const message = error instanceof Error ? error.message : String(error);
  const fail = (runnerCode: ErrorCode, text: string, hint: string, retryable = false) =>
    new RunnerError(runnerCode, text, { hint, retryable, cause: error, driver: "kubernetes" });
  switch (kind) {
    case "refused":
      return fail("CONNECTION_REFUSED", `no API server answers at ${where}`, "check that the cluster runs, and that the kubeconfig's server is right");
    case "unreachable":
      return fail("CONNECTION_REFUSED", `the API server ${where} can't be reached: ${errno}`, "check the network, or the VPN to the cluster");
    case "unnamed":
      return fail("NAME_NOT_RESOLVED", `the name of the API server ${where} has no address`, "check the kubeconfig's server and the resolver");
    case "late":
      return fail("TIMEOUT", `the API server ${where} did not answer in time`, "check the network, or the VPN to the cluster", true);
    case "cut":
      return fail("CONNECTION_LOST", `the API server ${where} closed the connection`, "try again; check whether the API server still runs", true);
    case "tls":
      return fail("TLS_FAILED", `the TLS handshake with the API server ${where} failed: ${message}`, tlsHint(errno));
    default:
      if (kind === "no-http" || /^Invalid Sec-WebSocket|^Invalid Upgrade|subprotocol/.test(message)) {
        return fail(
          "WRONG_SERVER",
          `what answers at ${where} is no Kubernetes API server: ${message}`,
          "check the kubeconfig's server, and proxies on the way",
        );
      }
      if (/handshake has timed out|did not answer/.test(message))
        return fail("TIMEOUT", `the API server ${where} did not answer in time`, "check the network, or the VPN to the cluster", true);
      return fail("CONNECTION_LOST", `the request to the API server ${where} failed: ${message}`, "check the network to the cluster");
  }
}

/** Classifies an answer of the API server; `body` is what it sent along. */
export function clusterStatusError(httpStatus: number, body: string, { where }: Place): RunnerError {
  return apiStatusError({ code: httpStatus, ...parseStatus(body) }, { where });
}

/** Classifies a status of the API server, or of the kubelet behind it. */
export function apiStatusError(status: ApiStatus, { where }: Place): RunnerError {
  const code = status.code ?? 0;
  const message = status.message?.trim() ?? "";
  const fail = (runnerCode: ErrorCode, text: string, hint: string, retryable = false) =>
    new RunnerError(runnerCode, text, { hint, retryable, driver: "kubernetes", details: { status: code, ...(message !== "" && { message }) } });
  const says = message === "" ? `it answered with status ${code}` : message;
  // A node whose serving certificate is not signed yet, or whose kubelet just starts: minutes at most.
  if (/remote error: tls: internal error|error dialing backend|no preferred addresses found|connection refused|i\/o timeout/i.test(message)) {
    return fail(
      "CONNECTION_LOST",
      `the API server ${where} can't reach the pod's node: ${message}`,
      "wait until the node's kubelet is ready; check the network between API server and node",
      true,
    );
  }
  switch (code) {
    case 400:
      return fail(
        "INVALID_OPTION",
        `the API server ${where} refuses the request: ${says}`,
        "correct the name that the message has; container=NAME chooses a container",
      );
    case 401:
      return fail(
        "AUTH_FAILED",
        `the API server ${where} refuses the credentials: ${says}`,
        "log in to the cluster again, or renew the token of the kubeconfig's user",
      );
    case 403:
      return fail("PERMISSION_DENIED", `the API server ${where} forbids it: ${says}`, forbiddenHint(message));
    case 404:
      return fail("NOT_FOUND", `the API server ${where} has no such thing: ${says}`, "check name and namespace");
    case 409:
      return fail("ALREADY_EXISTS", `the API server ${where} has it already: ${says}`, "choose another name", /modified|try again/.test(message));
    case 408:
    case 504:
      return fail("TIMEOUT", `the API server ${where} gave up: ${says}`, "try again", true);
    case 429:
      return fail("CONNECTION_LOST", `the API server ${where} is overloaded: ${says}`, "try again later", true);
    case 502:
    case 503:
      return fail("CONNECTION_LOST", `the API server ${where} is not ready: ${says}`, "try again; look at the API server", true);
    default:
      return fail("COMMAND_FAILED", `the API server ${where} failed: ${says}`, "look at the events of the pod and at the kubelet's log");
  }
}

export function parseStatus(body: string): ApiStatus {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "Status") return value;
  } catch {
    // Proxies answer in HTML or plain text; a short text says something, a page doesn't.
  }
  const text = body.trim();
  return text.startsWith("<") ? {} : { message: text.slice(0, 300) };
}

/** RBAC's sentence names verb, resource and user; the remedy is a rule with just that verb. */
function forbiddenHint(message: string): string {
  const found = /User "([^"]*)" cannot (\w+) resource "([^"]+)"(?: in API group "([^"]*)")?(?:.* in the namespace "([^"]+)")?/.exec(message);
  if (found === null) return "grant the right that the message names";
  const [, user = "", verb, resource = "", group, namespace] = found;
  const account = /^system:serviceaccount:([^:]+):(.+)$/.exec(user);
  const subject = account === null ? `--user=${user}` : `--serviceaccount=${account[1]}:${account[2]}`;
  const scope = namespace === undefined ? "" : ` -n ${namespace}`;
  const kind = group ? `${resource}.${group}` : resource;
  return `grant ${verb} on ${kind}: kubectl create role anyrunner --verb=${verb} --resource=${kind}${scope} && kubectl create rolebinding anyrunner --role=anyrunner ${subject}${scope}`;
}

function tlsHint(code: string): string {
  if (code === "CERT_HAS_EXPIRED") return "renew the API server's certificate, or correct this machine's clock";
  if (code.startsWith("ERR_TLS_CERT_ALTNAME")) return "use a server name that the certificate has, or set tls-server-name in the kubeconfig";
  return "check certificate-authority and client-certificate in the kubeconfig";
}
