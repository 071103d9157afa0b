import type { ApiObject } from "./api-object.ts";

/** The objects of one session, by call and by id. */
export interface ObjectRegistry {
  find(callKey: string): ApiObject | undefined;
  add(callKey: string, object: Omit<ApiObject, "number">): ApiObject;
  idOf(object: ApiObject): string;
  /** Fails with `InvalidId`. */
  byId(id: string): ApiObject;
}

export class InvalidId extends Error {}

const PREFIX = "anyrunner";

export function createObjectRegistry(): ObjectRegistry {
  const byCall = new Map<string, ApiObject>();
  const byNumber: ApiObject[] = [];
  return {
    find: (callKey) => byCall.get(callKey),
    add(callKey, fields) {
      const object = { ...fields, number: byNumber.length + 1 };
      byCall.set(callKey, object);
      byNumber.push(object);
      return object;
    },
    idOf: (object) => Buffer.from(`${PREFIX} ${object.type} ${object.number}`).toString("base64"),
    byId(id) {
      const [prefix, type, number] = Buffer.from(id, "base64").toString().split(" ");
      const object = prefix === PREFIX ? byNumber[Number(number) - 1] : undefined;
      if (object === undefined || object.type !== type) throw new InvalidId("failed to unmarshal proto: proto: cannot parse invalid wire-format data");
      return object;
    },
  };
}
