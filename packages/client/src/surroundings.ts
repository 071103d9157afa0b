import type { Reporter } from "@anyrunner/core";

/** Where a client lives: what of its surroundings says which runner is meant. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. The project's files are looked for from here upwards. */
  readonly cwd: string;
  readonly report: Reporter;
}
