import { DRIVER_PARTS, DRIVER_RESULTS, type DriverResult, type DriverVerb, type ProgramError, type ProgramEvent } from "./protocol-messages.ts";
import { isErrorCode } from "./error-codes.ts";
import { schemaProblem } from "./schema-problem.ts";

/** The longest line that a driver program may write, in bytes. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** A line that a driver program wrote on standard output. */
export type ProgramLine<Verb extends DriverVerb = DriverVerb> =
  | { readonly kind: "event"; readonly event: ProgramEvent }
  | { readonly kind: "result"; readonly result: DriverResult<Verb> }
  | { readonly kind: "error"; readonly error: ProgramError }
  /** It breaks the protocol. `problem` goes on after "its answer …" and holds nothing of the line but names of members and words of `versions`. */
  | { readonly kind: "problem"; readonly problem: string; readonly isVersion?: true };

const MAX_DEPTH = 32;

/**
 * Reads one line, without its line feed, as an answer to `verb`. Never throws. A `describe` for another version of the protocol or of the
 * driver interface is a problem with `isVersion`, whatever else it says.
 */
export function parseProgramLine<Verb extends DriverVerb>(verb: Verb, line: Uint8Array): ProgramLine<Verb> {
  if (line.length > MAX_LINE_BYTES) return problem(`is longer than ${MAX_LINE_BYTES} bytes`);
  const document = readDocument(line);
  if (typeof document === "string") return problem(document);
  const [keyword, ...others] = (["event", "result", "error"] as const).filter((name) => Object.hasOwn(document, name));
  if (keyword === undefined || others.length > 0) return problem('is not one of {"result": …}, {"error": …} and {"event": …}');
  const value = document[keyword];
  if (keyword === "result") return readResult(verb, value);
  if (keyword === "event") {
    const wrong = schemaProblem(DRIVER_PARTS.Event, value, "event");
    return wrong === undefined ? { kind: "event", event: value as ProgramEvent } : problem(`breaks the protocol: ${wrong}`);
  }
  const wrong = schemaProblem(DRIVER_PARTS.Error, value, "error");
  if (wrong === undefined) return { kind: "error", error: value as ProgramError };
  const code = unknownCode(value);
  return problem(code === undefined ? `breaks the protocol: ${wrong}` : `has the error code ${code}, which is not of the closed list`);
}

function readResult<Verb extends DriverVerb>(verb: Verb, value: unknown): ProgramLine<Verb> {
  const version = verb === "describe" ? versionProblem(value) : undefined;
  if (version !== undefined) return { kind: "problem", problem: version, isVersion: true };
  const wrong = schemaProblem(DRIVER_RESULTS[verb], value, "result");
  return wrong === undefined ? { kind: "result", result: value as DriverResult<Verb> } : problem(`breaks the protocol: ${wrong}`);
}

function readDocument(line: Uint8Array): Readonly<Record<string, unknown>> | string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(line);
  } catch {
    return "is not UTF-8";
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return "is no JSON";
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) return "is no JSON object";
  return isDeeper(document, MAX_DEPTH) ? `is nested deeper than ${MAX_DEPTH} levels` : (document as Readonly<Record<string, unknown>>);
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

/** Told apart from other mistakes, because the remedy is an update. */
function versionProblem(result: unknown): string | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const { protocol, driver } = result as { readonly protocol?: unknown; readonly driver?: { readonly specVersion?: unknown } | null };
  if (Number.isSafeInteger(protocol) && protocol !== 1) return `chooses version ${protocol as number} of the protocol; this anyrunner knows version 1`;
  const specVersion = driver?.specVersion;
  if (Number.isSafeInteger(specVersion) && specVersion !== 1) return `has specVersion ${specVersion as number}; this anyrunner knows version 1`;
  return undefined;
}

/** A word that looks like a code may be shown; anything else might be what nobody should see. */
function unknownCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error) || typeof error.code !== "string" || isErrorCode(error.code)) return undefined;
  return /^[A-Z][A-Z_]{0,39}$/.test(error.code) ? error.code : "that it gives";
}

function problem(text: string): { readonly kind: "problem"; readonly problem: string } {
  return { kind: "problem", problem: text };
}
