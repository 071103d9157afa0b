import { RunnerError } from "./runner-error.ts";
import type { RunnerUrl } from "./runner-url.ts";
import { suggest } from "./suggest.ts";

/**
 * One parameter that a driver understands behind the `?`. Declarative, so that the same table checks URLs, completes
 * them in a shell, documents them, and says which values must never be printed.
 */
export interface OptionSpec {
  readonly name: string;
  readonly type: "string" | "boolean" | "integer";
  readonly help: string;
  readonly default?: string | boolean | number;
  /** The value is hidden wherever the URL is printed, and reaches the driver as `secrets.options` of each call: it may stand in no target and no handle. */
  readonly secret?: boolean;
  /**
   * Of a `secret` value only what follows the first of this text is one: `=` for NAME=VALUE. The URL hides all of it, but where else the
   * value is said, words that are no secret stay readable. Default: the whole value.
   */
  readonly secretAfter?: string;
  /** The parameter may be given more than once; its value is a list. */
  readonly repeatable?: boolean;
  readonly choices?: readonly string[];
}

type Scalar<Spec extends OptionSpec> = Spec["type"] extends "boolean" ? boolean : Spec["type"] extends "integer" ? number : string;

/** The values that `readOptions` gives for a table of specs: a list when repeatable, never absent when there is a default. */
export type OptionValues<Specs extends readonly OptionSpec[]> = {
  readonly [Spec in Specs[number] as Spec["name"]]: Spec extends { readonly repeatable: true }
    ? readonly Scalar<Spec>[]
    : Spec extends { readonly default: string | boolean | number }
      ? Scalar<Spec>
      : Scalar<Spec> | undefined;
};

/** Checks the parameters of `url` against `specs`. Fails with INVALID_OPTION, naming the nearest known parameter. */
export function readOptions<const Specs extends readonly OptionSpec[]>(url: RunnerUrl, specs: Specs): OptionValues<Specs> {
  const values: Record<string, unknown> = {};
  for (const spec of specs) values[spec.name] = spec.repeatable ? [] : spec.default;
  const seen = new Set<string>();
  for (const { name, value } of url.params) {
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined) throw unknownOption(url, name, specs);
    const parsed = parseValue(url, spec, value);
    if (spec.repeatable) {
      (values[name] as unknown[]).push(parsed);
      continue;
    }
    if (seen.has(name)) throw invalidOption(url, name, "it is given twice");
    seen.add(name);
    values[name] = parsed;
  }
  return values as OptionValues<Specs>;
}

function parseValue(url: RunnerUrl, spec: OptionSpec, value: string): string | boolean | number {
  switch (spec.type) {
    case "boolean":
      // The spellings of Go's ParseBool, which the official client accepts in these places.
      if (/^(1|t|true)$/i.test(value)) return true;
      if (/^(0|f|false)$/i.test(value)) return false;
      throw invalidOption(url, spec.name, "it must be true or false");
    case "integer":
      if (!/^-?\d{1,15}$/.test(value)) throw invalidOption(url, spec.name, "it must be a whole number");
      return Number(value);
    case "string":
      if (spec.choices !== undefined && !spec.choices.includes(value)) {
        const nearest = suggest(value, spec.choices);
        throw invalidOption(url, spec.name, `it must be one of ${spec.choices.join(", ")}`, nearest && `did you mean "${nearest}"?`);
      }
      return value;
  }
}

function unknownOption(url: RunnerUrl, name: string, specs: readonly OptionSpec[]): RunnerError {
  const names = specs.map((spec) => spec.name);
  const nearest = suggest(name, names);
  const known = names.length === 0 ? `${url.scheme}:// takes no parameters` : `${url.scheme}:// takes ${names.join(", ")}`;
  return new RunnerError("INVALID_OPTION", `unknown parameter "${name}" for ${url.scheme}://`, {
    hint: nearest === undefined ? known : `did you mean "${nearest}"? ${known}`,
    details: { parameter: name, known: names },
  });
}

function invalidOption(url: RunnerUrl, name: string, reason: string, hint?: string): RunnerError {
  return new RunnerError("INVALID_OPTION", `parameter "${name}" of ${url.scheme}:// is wrong: ${reason}`, { hint, details: { parameter: name } });
}
