import { isIP } from "node:net";
import { isAbsolute } from "node:path";

import { formatRunnerUrl, RunnerError, type CallOptions, type JsonObject, type RunnerUrl } from "@anyrunner/core";

import { type EngineImageValues } from "./engine-image-options.ts";
import { isValidContainerName } from "./engine-names.ts";
import { parseImageReference } from "./image-reference.ts";
import { LABEL_PREFIX } from "./engine-labels.ts";
import { parseGpus, parseIdle, parseKeep, parseMemory, parseMount, type EngineGpus, type EngineMount } from "./option-values.ts";

/** What an `…-image://` URL asks for, checked, without what may be secret; plain JSON, part of a driver's target. */
export interface ShownEngineImage extends JsonObject {
  /** As written; without a tag when `version` says it. */
  readonly reference: string;
  readonly container?: string | undefined;
  readonly volume?: string | undefined;
  readonly cleanup: boolean;
  /** How many engines of this repository are kept. */
  readonly keep?: number | undefined;
  /** After how long without a session the engine is stopped. */
  readonly idleMs?: number | undefined;
  readonly port?: EnginePort | undefined;
  readonly cpus?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly pull: "missing" | "always" | "never";
  readonly network?: string | undefined;
  readonly mounts: readonly EngineMount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly gpus?: EngineGpus | undefined;
  readonly platform?: string | undefined;
  /** A path, or `none`; absent: the user's own file, if there is one. */
  readonly config?: string | undefined;
  readonly ca?: string | undefined;
  /** `auto` or `vX.Y.Z`. */
  readonly version?: string | undefined;
}

/** All that an `…-image://` URL asks for. */
export interface EngineImage extends ShownEngineImage {
  /** `NAME=VALUE`, or `NAME` for the caller's value. Values may be secret. */
  readonly env: readonly string[];
  /** A URL, which may hold a password, or `env`. */
  readonly proxy?: string | undefined;
}

export interface EnginePort extends JsonObject {
  readonly address: string;
  readonly port: number;
}

/** Checks body and parameters of an `…-image://` URL; `values` are what `readOptions` gave. Fails with INVALID_URL, INVALID_OPTION. */
export function parseEngineImage(url: RunnerUrl, values: EngineImageValues): EngineImage {
  if (url.body === "")
    throw new RunnerError("INVALID_URL", `${formatRunnerUrl(url)} names no image`, { hint: `write ${url.scheme}://registry.dagger.io/engine:v0.21.8` });
  const reference = parseImageReference(url.body);
  for (const [name, value] of Object.entries(values)) if (value === "") throw invalid(name, "it is empty", "give it a value, or leave it away");
  if (values.version !== undefined && (reference.tag !== undefined || reference.digest !== undefined))
    throw invalid("version", "the image has a tag or digest already", "leave one of them away");
  return withoutUndefined({
    reference: url.body,
    container: checked("container", values.container, isValidContainerName, "a name of two or more letters, digits, dots, dashes and underscores"),
    volume: checked("volume", values.volume, isValidContainerName, "a name of two or more letters, digits, dots, dashes and underscores"),
    cleanup: values.cleanup,
    keep: values.keep === undefined ? undefined : parseKeep(values.keep),
    idleMs: values.idle === undefined ? undefined : parseIdle(values.idle),
    // As with the official client, 0 means none.
    port: values.port === undefined || values.port === "0" ? undefined : parsePort(values.port),
    cpus: values.cpus === undefined ? undefined : parseCpus(values.cpus),
    memoryBytes: values.memory === undefined ? undefined : parseMemory(values.memory),
    env: values.env.map(checkVariable),
    pull: values.pull as EngineImage["pull"],
    network: checked("network", values.network, (text) => /^[a-zA-Z0-9][\w.:-]*$/.test(text), "the name of a network"),
    mounts: values.mount.map(parseMount),
    labels: Object.fromEntries(values.label.map(parseLabel)),
    gpus: values.gpus === undefined ? undefined : parseGpus(values.gpus),
    platform: checked("platform", values.platform, (text) => /^[a-z0-9]+(\/[a-z0-9_]+){0,2}$/.test(text), "a platform such as linux/amd64"),
    config: checked("config", values.config, isPathOrNone, "an absolute path, or none"),
    ca: checked("ca", values.ca, isPathOrNone, "an absolute path, or none"),
    proxy: checked("proxy", values.proxy, isProxy, "a URL such as http://proxy.example:3128, or env"),
    version: values.version === undefined ? undefined : parseVersion(values.version),
  });
}

/** What a target may hold of it. */
export function withoutSecrets({ env: _env, proxy: _proxy, ...shown }: EngineImage): ShownEngineImage {
  // An interface with an index signature loses its members in a rest.
  return shown as unknown as ShownEngineImage;
}

/** The whole again, with the secret parameters of its URL as a driver's call gives them. Without them it is one that named none. */
export function withSecrets(image: ShownEngineImage, { options = {} }: NonNullable<CallOptions["secrets"]> = {}): EngineImage {
  const [proxy] = options["proxy"] ?? [];
  return { ...image, env: options["env"] ?? [], ...(proxy !== undefined && { proxy }) };
}

/** The parameters that say what a new engine must be like; without one of them any engine of the image will do. */
export function asksForSpecialEngine(image: EngineImage): boolean {
  const { container, volume, idleMs, port, cpus, memoryBytes, network, gpus, platform, config, ca, proxy } = image;
  const single = [container, volume, idleMs, port, cpus, memoryBytes, network, gpus, platform, config, ca, proxy];
  return single.some((value) => value !== undefined) || image.env.length > 0 || image.mounts.length > 0 || Object.keys(image.labels).length > 0;
}

function parsePort(text: string): EnginePort {
  const match = /^(?:(?<address>.+):)?(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.["port"] ?? 0);
  const address = (match?.groups?.["address"] ?? "127.0.0.1").replace(/^\[(.*)\]$/, "$1");
  if (port < 1 || port > 65_535 || isIP(address) === 0)
    throw invalid("port", "it must be PORT or ADDRESS:PORT", "write a port from 1 to 65535, such as port=1234");
  return { address, port };
}

function parseCpus(text: string): number {
  const cpus = /^\d{1,4}(\.\d{1,9})?$/.test(text) ? Number(text) : 0;
  if (cpus <= 0) throw invalid("cpus", "it must be a positive number", "write cpus=2 or cpus=1.5");
  return cpus;
}

function checkVariable(text: string): string {
  // The value may be secret: it is in no message.
  if (!/^[A-Za-z_][A-Za-z0-9_]*(=|$)/.test(text)) throw invalid("env", "it must begin with the name of a variable", "write env=NAME=VALUE, or env=NAME");
  return text;
}

function parseLabel(text: string): [string, string] {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  if (name === "") throw invalid("label", "it has no name", "write label=NAME=VALUE");
  if (name.startsWith(LABEL_PREFIX)) throw invalid("label", `labels that begin with ${LABEL_PREFIX} are our own`, "choose another name");
  return [name, at < 0 ? "" : text.slice(at + 1)];
}

function parseVersion(text: string): string {
  if (text === "auto") return text;
  if (!/^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(text)) throw invalid("version", "it must be auto or X.Y.Z", "write version=auto, or version=0.21.8");
  return text.startsWith("v") ? text : `v${text}`;
}

function isPathOrNone(text: string): boolean {
  return text === "none" || isAbsolute(text);
}

function isProxy(text: string): boolean {
  return text === "env" || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));
}

function checked(name: string, value: string | undefined, isGood: (text: string) => boolean, expected: string): string | undefined {
  if (value === undefined || isGood(value)) return value;
  throw invalid(name, `it must be ${expected}`);
}

function invalid(name: string, reason: string, hint?: string): RunnerError {
  return new RunnerError("INVALID_OPTION", `parameter "${name}" is wrong: ${reason}`, { hint, details: { parameter: name } });
}

function withoutUndefined(image: EngineImage): EngineImage {
  return Object.fromEntries(Object.entries(image).filter(([, value]) => value !== undefined)) as unknown as EngineImage;
}
