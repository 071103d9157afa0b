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
