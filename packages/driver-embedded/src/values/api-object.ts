import type { QueryContext } from "../schema/query-context.ts";

/** An object of the API: immutable, made by one call, known to clients by a short id. */
export interface ApiObject<Data = unknown> {
  /** GraphQL type, `Container`. */
  readonly type: string;
  /** Part of its id; unique in the session, the same for equal calls. */
  readonly number: number;
  /** The fields that made it, from the root: errors name the object by them. */
  readonly chain: readonly string[];
  readonly data: Data;
}

export function isApiObject(value: unknown): value is ApiObject {
  return typeof value === "object" && value !== null && "chain" in value && "number" in value && "type" in value;
}

/**
 * Works out one field. `data` is the parent's; an object type is answered with its data alone, or with an `ApiObject` that
 * exists already.
 */
// eslint-disable-next-line typescript/no-explicit-any -- the schema checks arguments and parents; each resolver names their types
export type Resolver = (data: any, args: any, query: QueryContext, parent: ApiObject) => unknown;

export type Fields = Readonly<Record<string, Resolver>>;
