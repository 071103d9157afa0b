import { boundDriver } from "./bound-driver.ts";
import { checkDriver } from "./check-driver.ts";
import type { ErrorCode } from "./error-codes.ts";
import type { JsonObject } from "./json.ts";
import type { CallOptions, RunnerDriver, RunnerTarget } from "./driver.ts";
import { abortedError, RunnerError, throwIfAborted } from "./runner-error.ts";
import { formatRunnerUrl, type RunnerUrl } from "./runner-url.ts";
import { suggest } from "./suggest.ts";
import { orAborted, withinBudget } from "./waits.ts";

/** How long the code of a driver may take to load, in ms. */
const LOAD_BUDGET_MS = 60_000;

/** A driver that can be loaded when one of its schemes is used. */
export interface DriverEntry {
  readonly name: string;
  readonly schemes: readonly string[];
  /** For people: the package, file or program that it comes from. */
  readonly origin: string;
  /** How it was found: one word for lists, such as `built-in` or `driver folder`. */
  readonly foundBy?: string | undefined;
  /** Version of its package. */
  readonly version?: string | undefined;
  /** The interface version that its manifest announces, whatever that is. */
  readonly specVersion?: unknown;
  /** Only known of, not part of this release: no hint offers its schemes as something that works. */
  readonly planned?: boolean | undefined;
  /** Set when it is not installed, so that its schemes may be a guess: told when a scheme is unknown. */
  readonly absent?: { readonly message: string; readonly hint: string } | undefined;
  /** Gives a module with an export `driver`, or the driver itself. Called at most once. */
  readonly load: () => Promise<unknown>;
}

/** Which driver serves a URL, what the URL means to it, and why the other candidates don't. */
export interface ResolvedRunner {
  readonly url: RunnerUrl;
  readonly driver: RunnerDriver;
  readonly target: RunnerTarget;
  readonly losers: readonly Loser[];
}

/** A candidate that can't serve a URL, and why. */
export interface Loser {
  readonly driver: string;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly hint?: string | undefined;
  /** Plain facts of the failure. */
  readonly details?: JsonObject | undefined;
}

/** The drivers that there are, and which of them serves what. */
export interface Registry {
  /** All entries, in the order of preference. */
  readonly entries: readonly DriverEntry[];
  /** The entries that claim `scheme`, best first. */
  candidates(scheme: string): readonly DriverEntry[];
  /**
   * Imports and checks a driver, and sees to it that its calls end and show no secrets (see `boundDriver`). Fails with DRIVER_NOT_INSTALLED,
   * DRIVER_INVALID or SPEC_MISMATCH.
   */
  load(entry: DriverEntry): Promise<RunnerDriver>;
  /** The driver of that name; for handles. Fails with UNKNOWN_SCHEME. */
  driver(name: string): Promise<RunnerDriver>;
  /**
   * The first candidate for the scheme that is available here. Fails with UNKNOWN_SCHEME, INVALID_URL, INVALID_OPTION, or
   * NOT_AVAILABLE with the reason of every candidate; with a single candidate its own code is kept.
   */
  resolve(url: RunnerUrl, options?: CallOptions): Promise<ResolvedRunner>;
}

/** Makes a registry: an instance, nothing is global. Earlier entries win over later ones. Two entries of one name: DRIVER_INVALID. */
export function createRegistry(entries: readonly DriverEntry[]): Registry {
  const byName = new Map<string, DriverEntry>();
  const byScheme = new Map<string, DriverEntry[]>();
  for (const entry of entries) {
    const twin = byName.get(entry.name);
    if (twin !== undefined) {
      throw new RunnerError("DRIVER_INVALID", `two drivers are named "${entry.name}": ${twin.origin} and ${entry.origin}`, { hint: "remove one of them" });
    }
    byName.set(entry.name, entry);
    for (const scheme of entry.schemes) byScheme.set(scheme, [...(byScheme.get(scheme) ?? []), entry]);
  }
  const loaded = new Map<DriverEntry, Promise<RunnerDriver>>();

  const registry: Registry = {
    entries,
    candidates: (scheme) => byScheme.get(scheme) ?? [],
    load(entry) {
      let driver = loaded.get(entry);
      if (driver === undefined) {
        driver = loadDriver(entry);
        loaded.set(entry, driver);
        driver.catch(() => loaded.delete(entry));
      }
      return driver;
    },
    async driver(name) {
      const entry = byName.get(name);
      if (entry === undefined)
        throw new RunnerError("UNKNOWN_SCHEME", `no driver is named "${name}"`, { hint: didYouMean(name, byName.keys(), byName.keys()) });
      return registry.load(entry);
    },
    async resolve(url, options = {}) {
      const candidates = registry.candidates(url.scheme);
      if (candidates.length === 0) throw unknownScheme(url, entries);
      const secretParams = new Set<string>();
      const judge = async (entry: DriverEntry): Promise<Verdict> => {
        try {
          const driver = await orAborted(registry.load(entry), options.signal);
          for (const option of driver.options) if (option.secret) secretParams.add(option.name);
          const target = await orAborted((async () => driver.parse(url))(), options.signal);
          const probe = await driver.probe(target, options);
          if (probe.available) return { driver, target };
          const { code = "NOT_AVAILABLE", reason, hint, details, cause } = probe;
          return { failure: new RunnerError(code, reason, { hint, details, cause, driver: entry.name }) };
        } catch (failure) {
          return { failure };
        }
      };
      const [first, ...others] = candidates as readonly [DriverEntry, ...DriverEntry[]];
      const losers: Loser[] = [];
      const failures: unknown[] = [];
      // The best candidate nearly always serves; only when it doesn't are the others asked, all at once.
      for (const group of [[first], others]) {
        throwIfAborted(options.signal);
        const verdicts = await Promise.all(group.map(judge));
        if (options.signal?.aborted) throw abortOf(verdicts, options.signal);
        for (const [index, verdict] of verdicts.entries()) {
          if ("driver" in verdict) return { url, ...verdict, losers };
          losers.push(loser(group[index]?.name ?? "", verdict.failure));
          failures.push(verdict.failure);
        }
      }
      throw noneAvailable(formatRunnerUrl(url, { secretParams }), losers, failures);
    },
  };
  return registry;
}

type Verdict = { readonly driver: RunnerDriver; readonly target: RunnerTarget } | { readonly failure: unknown };

/** What was waited for says more than that nobody waits any longer. */
function abortOf(verdicts: readonly Verdict[], signal: AbortSignal): RunnerError {
  const failures = verdicts.map((verdict) => ("failure" in verdict ? verdict.failure : undefined));
  return failures.find((failure): failure is RunnerError => RunnerError.is(failure) && failure.code === "ABORTED") ?? abortedError(signal);
}

function loser(driver: string, failure: unknown): Loser {
  const { code, message, hint, details } = RunnerError.from(failure, "NOT_AVAILABLE");
  return { driver, code, reason: message, ...(hint !== undefined && { hint }), ...(details !== undefined && { details }) };
}

async function loadDriver(entry: DriverEntry): Promise<RunnerDriver> {
  const module = await importDriver(entry);
  const exported = typeof module === "object" && module !== null && "driver" in module ? module.driver : module;
  const driver = checkDriver(exported, entry.origin);
  if (driver.name !== entry.name) throw new RunnerError("DRIVER_INVALID", `${entry.origin} announces the driver "${entry.name}" but gives "${driver.name}"`);
  return boundDriver(driver, entry.origin);
}

async function importDriver(entry: DriverEntry): Promise<unknown> {
  try {
    const imported = await withinBudget(
      LOAD_BUDGET_MS,
      entry.load().then((module) => ({ module })),
    );
    if (imported !== undefined) return imported.module;
  } catch (error) {
    if (RunnerError.is(error)) throw error;
    throw new RunnerError("DRIVER_INVALID", `${entry.origin} fails while it is loaded: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
      hint: "tell the author of the driver; the cause is attached",
      driver: entry.name,
    });
  }
  throw new RunnerError("DRIVER_INVALID", `${entry.origin} is not loaded after ${LOAD_BUDGET_MS / 1000} s`, {
    hint: "tell the author of the driver: something in it waits while it is imported",
    driver: entry.name,
  });
}

function unknownScheme(url: RunnerUrl, entries: readonly DriverEntry[]): RunnerError {
  const absent = entries.flatMap((entry) => entry.absent ?? []);
  const working = new Set(entries.filter((entry) => !entry.planned && entry.absent === undefined).flatMap(({ schemes }) => schemes));
  const message = [`no driver for the scheme "${url.scheme}"`, ...absent.map((entry) => entry.message)].join("; ");
  const nearest = suggest(url.scheme, entries.flatMap(({ schemes }) => schemes).toSorted());
  const remedies = [
    ...absent.map(({ hint }) => hint),
    ...(nearest === undefined ? [`schemes are ${shortList([...working])}; all of them: anyrunner drivers`] : [`did you mean "${nearest}"?`]),
    "if you have a driver for it: anyrunner drivers add NAME",
  ];
  return new RunnerError("UNKNOWN_SCHEME", message, { hint: remedies.join("\n"), details: { scheme: url.scheme, known: [...working].toSorted() } });
}

/** Without the long forms that say which runtime is meant (`image+docker`), where there are others. */
function shortList(schemes: readonly string[]): string {
  const short = schemes.filter((scheme) => !scheme.includes("+"));
  return (short.length > 0 ? short : schemes).toSorted().join(", ");
}

/** The nearest of `names`, and the whole list of those that work. */
function didYouMean(word: string, names: Iterable<string>, working: Iterable<string>): string {
  const nearest = suggest(word, [...names].toSorted());
  return `${nearest === undefined ? "" : `did you mean "${nearest}"? `}known are ${[...working].toSorted().join(", ")}`;
}

function noneAvailable(shownUrl: string, losers: readonly Loser[], failures: readonly unknown[]): RunnerError {
  const [only] = failures;
  if (failures.length === 1 || refuseTheUrl(failures)) return RunnerError.from(only, "NOT_AVAILABLE");
  const lines = losers.map((loser) => `  ${loser.driver}: ${loser.reason}${loser.hint === undefined ? "" : ` (${loser.hint})`}`);
  return new RunnerError("NOT_AVAILABLE", `nothing can serve ${shownUrl}:\n${lines.join("\n")}`, {
    cause: new AggregateError(failures),
    details: { losers: losers.map((loser) => ({ ...loser })) },
  });
}

/** Candidates share the grammar of their scheme: when each refuses the URL itself, the first refusal says it all. */
function refuseTheUrl(failures: readonly unknown[]): boolean {
  return failures.every((failure) => RunnerError.is(failure) && (failure.code === "INVALID_URL" || failure.code === "INVALID_OPTION"));
}
