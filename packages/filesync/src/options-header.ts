import { FilesyncError } from "./filesync-error.ts";

/** Fields of an options header; each reader takes absent and null as the zero value, and throws `invalid` for another type. */
export interface OptionFields {
  text(name: string): string;
  flag(name: string): boolean;
  number(name: string): number;
  texts(name: string): readonly string[];
  /** Anything; undefined if absent or null. */
  value(name: string): unknown;
}

/** Reads base64 JSON, as the two `x-dagger-local-*` headers carry it. */
export function readOptionsHeader(header: string, value: string): OptionFields {
  const fields = parse(header, value);
  const read = <T>(name: string, zero: T, isRight: (value: unknown) => value is T): T => {
    const field = fields[name] ?? zero;
    if (!isRight(field)) throw new FilesyncError("invalid", `${header}: "${name}" has the wrong type`);
    return field;
  };
  return {
    text: (name) => read(name, "", (field) => typeof field === "string"),
    flag: (name) => read(name, false, (field) => typeof field === "boolean"),
    number: (name) => read(name, 0, (field) => typeof field === "number"),
    texts: (name) =>
      read<readonly string[]>(name, [], (field): field is readonly string[] => Array.isArray(field) && field.every((item) => typeof item === "string")),
    value: (name) => fields[name] ?? undefined,
  };
}

export function writeOptionsHeader(fields: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify(fields)).toString("base64");
}

function parse(header: string, value: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(value, "base64").toString());
  } catch (error) {
    throw new FilesyncError("invalid", `${header} is not base64 JSON`, { cause: error });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw new FilesyncError("invalid", `${header} is not a JSON object`);
  return parsed as Readonly<Record<string, unknown>>;
}
