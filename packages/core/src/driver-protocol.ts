// What both ends of the protocol of driver programs need: our side, and tests of programs.
export {
  DRIVER_PARTS,
  DRIVER_REQUESTS,
  DRIVER_RESULTS,
  DRIVER_VERBS,
  PROTOCOL_VERSION,
  type DriverRequest,
  type DriverResult,
  type DriverVerb,
  type ProgramDescription,
  type ProgramError,
  type ProgramEvent,
  type ProgramSecrets,
} from "./protocol-messages.ts";
export { driverProtocolSchema } from "./protocol-schema.ts";
export { MAX_LINE_BYTES, parseProgramLine, type ProgramLine } from "./program-line.ts";
export { schemaProblem } from "./schema-problem.ts";
export type { JsonSchema, ValueOf } from "./json-schema.ts";
