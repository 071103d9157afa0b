import { pinVersion, urlOfName } from "@anyrunner/client";
import { openHandleStore, openUserStore, type StoredHandle, type UserSettings } from "@anyrunner/config";
import {
  driverWithSecrets,
  formatRunnerUrl,
  handleOfError,
  parseRunnerUrl,
  RunnerError,
  serializeRunnerUrl,
  suggest,
  throwIfAborted,
  urlSecrets,
  type Registry,
  type RunnerDriver,
  type RunnerHandle,
  type RunnerTarget,
  type RunnerUrl,
} from "@anyrunner/core";
import { ENGINE_LABELS, isSameImage } from "@anyrunner/engine-container";

import type { CommandContext } from "./command-context.ts";
import { isLoadable, listRunners, openCliRegistry } from "./list-runners.ts";

/** A runner that a command looks after. */
export interface FoundRunner {
  /** For messages: its name, else its URL with secrets hidden, else its id. */
  readonly label: string;
  readonly name?: string | undefined;
  /** With everything in it; absent for a runner that was named by its id. */
  readonly url?: string | undefined;
  /** The same with secrets hidden. */
  readonly shownUrl?: string | undefined;
  readonly driver: RunnerDriver;
  /** Absent when the URL names an engine that was never made. */
  readonly handle?: RunnerHandle | undefined;
}

/**
 * The runner behind a name, a URL, or the id or container name that `ls` shows, without making or starting anything. `opened`: the registry
 * of the project, by default a new one.
 * Fails with NOT_FOUND, INVALID_URL, or as the driver does.
 */
export async function findRunner(context: CommandContext, word: string, signal: AbortSignal, opened?: Registry): Promise<FoundRunner> {
  const settings = await openUserStore({ env: context.env }).read();
  const registry = opened ?? (await openCliRegistry(context));
  if (isIdOfRunner(word, settings)) return findById(context, registry, word, { settings, signal });
  return findByUrl(context, registry, urlOfName(word, settings), signal);
}

/** Whether a word can only be the id of a runner, or its container's name: no URL, and no name that the user gave. */
export function isIdOfRunner(word: string, { runners = {} }: UserSettings): boolean {
  return !word.includes("://") && !Object.hasOwn(runners, word);
}

/** Fails with NOT_FOUND for a runner that doesn't exist yet. */
export function requireHandle({ handle, label }: FoundRunner): RunnerHandle {
  if (handle !== undefined) return handle;
  throw new RunnerError("NOT_FOUND", `${label} was never started from here`, {
    hint: `start it: anyrunner start ${label}; \`anyrunner ls\` lists what there is`,
  });
}

async function findByUrl(
  context: CommandContext,
  registry: Registry,
  { url: text, name }: { readonly url: string; readonly name?: string },
  signal: AbortSignal,
): Promise<FoundRunner> {
  const url = parseRunnerUrl(await pinVersion(context, text));
  const shownUrl = await formatWithDrivers(registry, url);
  const facts = { name, url: serializeRunnerUrl(url), shownUrl, label: name ?? shownUrl };
  const stored = (await openHandleStore({ env: context.env }).read()).findLast((known) => known.url === shownUrl);
  try {
    const { target, ...resolved } = await registry.resolve(url, { signal });
    const driver = withSecretsOf(url, resolved.driver);
    if (!makesEngines(driver, url)) return { ...facts, driver, handle: await driver.provision(target, { signal, waitMs: 0 }) };
    return { ...facts, driver, handle: await handleOfImage({ driver, url, target, stored }, signal) };
  } catch (error) {
    // What is stopped or gone can't be resolved any more, but its driver has just said which it is, or it is known from before.
    const handle = handleOfError(error) ?? (isOver(error) ? stored?.handle : undefined);
    if (handle === undefined) throw error;
    throwIfAborted(signal);
    return { ...facts, driver: withSecretsOf(url, await registry.driver(handle.driver)), handle };
  }
}

function isOver(error: unknown): boolean {
  return RunnerError.is(error) && (error.code === "NOT_RUNNING" || error.code === "NOT_FOUND");
}

/** A handle that was stored, or listed, has no secrets of its URL; whoever names the runner by that, or by its name, does. */
function withSecretsOf(url: RunnerUrl, driver: RunnerDriver): RunnerDriver {
  return driverWithSecrets(driver, urlSecrets(url, driver.options));
}

/** Whether `provision` could make something that isn't there: such a URL is looked up among what there is. */
function makesEngines(driver: RunnerDriver, { scheme }: RunnerUrl): boolean {
  return driver.capabilities.includes("provision") && scheme !== "embedded" && !/(^|[-+])(container|pod)([-+]|$)/.test(scheme);
}

interface WantedEngine {
  readonly driver: RunnerDriver;
  readonly url: RunnerUrl;
  readonly target: RunnerTarget;
  readonly stored: StoredHandle | undefined;
}

async function handleOfImage({ driver, url, target, stored }: WantedEngine, signal: AbortSignal): Promise<RunnerHandle | undefined> {
  const listed = (await driver.list?.({ signal, target })) ?? [];
  const known = stored?.handle.driver === driver.name ? stored.handle : undefined;
  const same = listed.find(({ id }) => id === known?.id);
  if (same !== undefined) return same;
  const container = url.params.find(({ name }) => name === "container")?.value;
  const matching = listed.filter((handle) =>
    container === undefined ? isSameImage(handle.labels[ENGINE_LABELS.image] ?? "", url.body) : isCalled(handle, container),
  );
  return matching.length === 1 ? matching[0] : known;
}

async function findById(
  context: CommandContext,
  registry: Registry,
  word: string,
  options: { readonly settings: UserSettings; readonly signal: AbortSignal },
): Promise<FoundRunner> {
  const { handles: listed, failures } = await listRunners(registry, options.signal);
  const stored = (await openHandleStore({ env: context.env }).read()).map(({ handle }) => handle);
  const isSame = (one: RunnerHandle) => (other: RunnerHandle) => other.driver === one.driver && other.id === one.id;
  // One runner may be stored under several URLs.
  const all = [...listed, ...stored].filter((handle, index, handles) => handles.findIndex(isSame(handle)) === index);
  // What is only known from before may be gone, and another have its name.
  const exact = [listed, all].map((handles) => handles.filter((handle) => isCalled(handle, word))).find(({ length }) => length > 0) ?? [];
  const matching = exact.length > 0 ? exact : all.filter(({ id }) => word.length >= 4 && id.startsWith(word));
  const [handle, another] = matching;
  if (handle !== undefined && another === undefined) return { label: word, driver: await registry.driver(handle.driver), handle };
  if (another !== undefined)
    throw new RunnerError("USAGE", `"${word}" means ${matching.length} runners`, { hint: `write more of the id: ${matching.map(({ id }) => id).join(", ")}` });
  const nearest = suggest(word, [...Object.keys(options.settings.runners ?? {}), ...all.flatMap(callNames)]);
  throw new RunnerError(
    "NOT_FOUND",
    `there is no runner "${word}"${failures.length === 0 ? "" : `; not asked: ${failures.map(({ driver, error }) => `${driver} (${error.message})`).join(", ")}`}`,
    {
      hint: `${nearest === undefined ? "" : `did you mean "${nearest}"? `}\`anyrunner ls\` lists the runners; a URL works, too`,
    },
  );
}

/** Names that people know a runner by stand in its handle as they are. */
function isCalled(handle: RunnerHandle, word: string): boolean {
  return callNames(handle).includes(word);
}

function callNames({ id, endpoint }: RunnerHandle): readonly string[] {
  return [id, ...["name", "container", "pod"].map((key) => endpoint[key]).filter((value) => typeof value === "string")];
}

/** The URL for people; which of its parameters are secret only its drivers know. Fails with UNKNOWN_SCHEME. */
export async function formatWithDrivers(registry: Registry, url: RunnerUrl): Promise<string> {
  const candidates = registry.candidates(url.scheme).filter(isLoadable);
  const drivers = await Promise.all(candidates.map((entry) => registry.load(entry).catch(() => undefined)));
  const secretParams = drivers
    .flatMap((driver) => driver?.options ?? [])
    .filter((option) => option.secret)
    .map(({ name }) => name);
  return formatRunnerUrl(url, { secretParams });
}
