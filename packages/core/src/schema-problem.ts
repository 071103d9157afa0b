import type { JsonSchema } from "./json-schema.ts";

/**
 * What is wrong with a value of JSON, in words that hold no part of the value but the names of members; `undefined` when the schema
 * allows it.
 */
export function schemaProblem(schema: JsonSchema, value: unknown, path = ""): string | undefined {
  const at = path === "" ? "it" : path;
  if (schema.anyOf !== undefined) return alternativesProblem(schema.anyOf, value, path);
  if (schema.const !== undefined) return value === schema.const ? undefined : `${at} is not ${JSON.stringify(schema.const)}`;
  if (schema.enum !== undefined) {
    if (typeof value === "string" && schema.enum.includes(value)) return undefined;
    return `${at} is none of ${schema.enum.length > MAX_WORDS ? "the known words" : schema.enum.join(", ")}`;
  }
  switch (schema.type) {
    case "string":
      return typeof value === "string" ? textProblem(schema, value, at) : `${at} is no text`;
    case "integer":
      return Number.isSafeInteger(value) ? numberProblem(schema, value as number, at) : `${at} is no whole number`;
    case "boolean":
      return typeof value === "boolean" ? undefined : `${at} is neither true nor false`;
    case "array":
      return Array.isArray(value) ? itemsProblem(schema, value, path) : `${at} is no list`;
    case "object":
      return isObject(value) ? membersProblem(schema, value, path) : `${at} is no object`;
    case undefined:
      return undefined;
  }
}

const MAX_WORDS = 12;
const MAX_NAME = 40;

/** Of several forms the one is meant whose fixed words are there; what is wrong with that one says more. */
function alternativesProblem(branches: readonly JsonSchema[], value: unknown, path: string): string | undefined {
  let nearest: string | undefined;
  for (const branch of branches) {
    const problem = schemaProblem(branch, value, path);
    if (problem === undefined) return undefined;
    if (isMeant(branch, value)) nearest ??= problem;
  }
  return nearest ?? `${path === "" ? "it" : path} has none of the allowed forms`;
}

function isMeant({ properties = {} }: JsonSchema, value: unknown): boolean {
  const fixed = Object.entries(properties).filter(([, member]) => member.const !== undefined);
  return fixed.length > 0 && isObject(value) && fixed.every(([name, member]) => Object.hasOwn(value, name) && value[name] === member.const);
}

function textProblem({ pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY }: JsonSchema, value: string, at: string): string | undefined {
  if (value.length < minLength) return minLength === 1 ? `${at} is empty` : `${at} is shorter than ${minLength} characters`;
  if (value.length > maxLength) return `${at} is longer than ${maxLength} characters`;
  return pattern === undefined || new RegExp(pattern, "u").test(value) ? undefined : `${at} is not of the form ${pattern}`;
}

function numberProblem({ minimum = -Infinity, maximum = Infinity }: JsonSchema, value: number, at: string): string | undefined {
  return value < minimum || value > maximum ? `${at} is not between ${minimum} and ${maximum}` : undefined;
}

function itemsProblem({ items, minItems = 0 }: JsonSchema, value: readonly unknown[], path: string): string | undefined {
  if (value.length < minItems) return `${path === "" ? "it" : path} has fewer than ${minItems} items`;
  if (items === undefined) return undefined;
  for (const [index, item] of value.entries()) {
    const problem = schemaProblem(items, item, `${path}[${index}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function membersProblem(schema: JsonSchema, value: Readonly<Record<string, unknown>>, path: string): string | undefined {
  const { properties = {}, required = [], additionalProperties } = schema;
  for (const name of required) {
    if (!Object.hasOwn(value, name)) return `${memberPath(path, name)} is missing`;
  }
  for (const [name, member] of Object.entries(value)) {
    const rule = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    const problem = rule === undefined ? undefined : schemaProblem(rule, member, memberPath(path, name));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function memberPath(path: string, name: string): string {
  const shown = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
  return path === "" ? shown : `${path}.${shown}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
