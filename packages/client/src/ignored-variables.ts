import { baseEngineVersion, compareEngineVersions, type Reporter } from "@anyrunner/core";

/** Variables of the official client for caches outside the engine; engines since 0.21 have no such caches (engine protocol 4.5, 10). */
const CACHE_VARIABLES = ["_EXPERIMENTAL_DAGGER_CACHE_CONFIG", "_EXPERIMENTAL_DAGGER_CACHE_IMPORT_CONFIG", "_EXPERIMENTAL_DAGGER_CACHE_EXPORT_CONFIG"] as const;
const FIRST_WITHOUT_CACHES = "v0.21.0";

/** Warns about variables that are set in vain. */
export function warnIgnoredVariables({
  env,
  engine,
  report,
}: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly engine: string;
  readonly report: Reporter;
}): void {
  const isNew = engine !== "" && compareEngineVersions(baseEngineVersion(engine), FIRST_WITHOUT_CACHES) >= 0;
  for (const name of CACHE_VARIABLES.filter((variable) => env[variable])) {
    report({
      type: "warning",
      id: `ignored-${name}`,
      message: `${name} has no effect: ${isNew ? `engine ${engine} has no caches outside itself` : "anyrunner does not pass it on"}`,
      hint: "unset it; an engine keeps its cache in its own volume",
    });
  }
}
