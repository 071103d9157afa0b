import type { DriverVerb } from "@anyrunner/core/driver-protocol";

export interface ProgramSettings {
  /** The program: an absolute path. */
  readonly command: string;
  /** Arguments before the verb. Default: none. */
  readonly args?: readonly string[] | undefined;
  /** The whole environment of the program. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** How long a call of each verb may take, in ms; for `connect` until the stream is open, for `logs` until the log begins. */
  readonly budgetsMs?: Readonly<Partial<Record<DriverVerb, number>>> | undefined;
}

const BUDGETS_MS: Readonly<Record<DriverVerb, number>> = {
  describe: 10_000,
  parse: 10_000,
  probe: 15_000,
  // An image may have to be pulled, a machine to be made.
  provision: 900_000,
  connect: 30_000,
  inspect: 15_000,
  logs: 15_000,
  start: 120_000,
  // Besides the grace of the engine and the time for its sessions.
  stop: 30_000,
  destroy: 120_000,
  list: 30_000,
};

export function verbBudgetMs({ budgetsMs }: ProgramSettings, verb: DriverVerb): number {
  return budgetsMs?.[verb] ?? BUDGETS_MS[verb];
}
