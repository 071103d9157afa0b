import { DRIVER_PARTS, DRIVER_REQUESTS, DRIVER_RESULTS, DRIVER_VERBS, PROTOCOL_VERSION } from "./protocol-messages.ts";
import { either, object, type JsonSchema } from "./json-schema.ts";

/**
 * The whole protocol as one JSON Schema (draft 2020-12), published as `@anyrunner/core/driver-protocol.json`: `#/$defs/<Verb>Request` is
 * what a program reads, `#/$defs/<Verb>Line` any line that it may write, `#/$defs/<Verb>Result` what stands in it under `result`.
 */
export function driverProtocolSchema(): object {
  const definitions = new Map<JsonSchema, string>();
  for (const [name, part] of Object.entries(DRIVER_PARTS)) definitions.set(part, name);
  for (const verb of DRIVER_VERBS) {
    const name = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}`;
    const result = { description: `the result of ${verb}`, ...DRIVER_RESULTS[verb] };
    definitions.set({ description: `what ${verb} is asked`, ...DRIVER_REQUESTS[verb] }, `${name}Request`);
    definitions.set(result, `${name}Result`);
    const line = either([object({ result }), object({ error: DRIVER_PARTS.Error }), object({ event: DRIVER_PARTS.Event })], {
      description: `a line that the program may write when ${verb} is asked; only an event has further lines after it`,
    });
    definitions.set(line, `${name}Line`);
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: `urn:anyrunner:driver-protocol:${PROTOCOL_VERSION}`,
    title: `Driver programs of anyrunner, protocol version ${PROTOCOL_VERSION}`,
    $defs: Object.fromEntries([...definitions].map(([schema, name]) => [name, withReferences(schema, definitions)])),
  };
}

/** Replaces what has a name by a reference to it. */
function withReferences(schema: unknown, definitions: ReadonlyMap<unknown, string>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => referenceTo(item, definitions));
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, referenceTo(value, definitions)]));
}

function referenceTo(value: unknown, definitions: ReadonlyMap<unknown, string>): unknown {
  const name = definitions.get(value);
  return name === undefined ? withReferences(value, definitions) : { $ref: `#/$defs/${name}` };
}
