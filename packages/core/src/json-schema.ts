import type { JsonObject } from "./json.ts";

declare const TYPE: unique symbol;

/** A JSON Schema (draft 2020-12) of values of type `T`, made of no more keywords than these. */
export interface JsonSchema<out T = unknown> {
  readonly description?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "boolean";
  readonly const?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  /** Never there: it only carries the type. */
  readonly [TYPE]?: T;
}

/** The type of the values that a schema allows. */
export type ValueOf<Schema> = Schema extends JsonSchema<infer T> ? T : never;

type Members = Readonly<Record<string, JsonSchema>>;
type Required<Shape extends Members> = { readonly [Key in keyof Shape]: ValueOf<Shape[Key]> };
type Optional<Shape extends Members> = { readonly [Key in keyof Shape]?: ValueOf<Shape[Key]> | undefined };

/** What every schema may say besides its type. */
interface Words {
  readonly description?: string;
}

export function text(rules: Words & Pick<JsonSchema, "pattern" | "minLength" | "maxLength"> = {}): JsonSchema<string> {
  return { type: "string", ...rules };
}

export function integer(rules: Words & Pick<JsonSchema, "minimum" | "maximum"> = {}): JsonSchema<number> {
  return { type: "integer", ...rules };
}

export function flag(rules: Words = {}): JsonSchema<boolean> {
  return { type: "boolean", ...rules };
}

export function exactly<const Value extends string | number | boolean>(value: Value): JsonSchema<Value> {
  return { const: value };
}

export function oneOf<const Word extends string>(words: readonly Word[], rules: Words = {}): JsonSchema<Word> {
  return { enum: words, ...rules };
}

export function list<T>(items: JsonSchema<T>, rules: Words & Pick<JsonSchema, "minItems"> = {}): JsonSchema<readonly T[]> {
  return { type: "array", items, ...rules };
}

export function map<T>(additionalProperties: JsonSchema<T>, rules: Words = {}): JsonSchema<Readonly<Record<string, T>>> {
  return { type: "object", additionalProperties, ...rules };
}

/** Any object of JSON. */
export function anyObject(rules: Words = {}): JsonSchema<JsonObject> {
  return { type: "object", ...rules };
}

/** Members that must and members that may be there. Others are allowed, and mean nothing: a newer version may have more. */
export function object<Must extends Members, May extends Members = Record<never, never>>(
  must: Must,
  may?: May,
  rules: Words = {},
): JsonSchema<Required<Must> & Optional<May>> {
  return { type: "object", properties: { ...must, ...may }, required: Object.keys(must), ...rules };
}

export function either<const Branches extends readonly JsonSchema[]>(anyOf: Branches, rules: Words = {}): JsonSchema<ValueOf<Branches[number]>> {
  return { anyOf, ...rules };
}
