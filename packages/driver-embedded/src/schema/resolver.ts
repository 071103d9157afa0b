import type { ApiObject } from "../values/api-object.ts";
import type { QueryContext } from "./query-context.ts";

/**
 * Works out one field. `data` is the parent's; an object type is answered with its data alone, or with an `ApiObject` that
 * exists already.
 */
// eslint-disable-next-line typescript/no-explicit-any -- the schema checks arguments and parents; each resolver names their types
export type Resolver = (data: any, args: any, query: QueryContext, parent: ApiObject) => unknown;

export type Fields = Readonly<Record<string, Resolver>>;
