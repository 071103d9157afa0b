import type { HostMirrors } from "../host/mirrors.ts";
import type { EngineParts } from "../schema/query-context.ts";
import type { Sessions } from "./sessions.ts";

/** What the server answers from, whichever stream a client came in by. */
export interface EngineService {
  readonly sessions: Sessions;
  /** The parts that need a container engine; started when the first query comes. */
  readonly engine: () => Promise<EngineParts>;
  readonly mirrors: HostMirrors;
  /** Name of this engine, shown as revision by `Control/Info`. */
  readonly name: string;
  readonly cpus: () => number;
  /** Called at the end of a session's shutdown, before it is answered. */
  readonly settle: () => Promise<void>;
}
