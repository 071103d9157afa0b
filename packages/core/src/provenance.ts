/** Where a value came from, so that every message and `anyrunner env` can say it. */
export interface Provenance {
  readonly kind: "flag" | "option" | "session" | "environment" | "project" | "user" | "running" | "default";
  /** What exactly: the flag, the option of a function, the variable, the file. */
  readonly name: string;
}

/** A value, and who said it. */
export interface Sourced<T> {
  readonly value: T;
  readonly from: Provenance;
}

/** `--runner`, `_EXPERIMENTAL_DAGGER_RUNNER_HOST`, `anyrunner.config.yaml`: fit for the end of a sentence. */
export function formatProvenance({ kind, name }: Provenance): string {
  switch (kind) {
    case "flag":
      return `flag ${name}`;
    case "option":
      return `option ${name}`;
    case "session":
      return `the surrounding session (${name})`;
    case "environment":
      return `variable ${name}`;
    case "project":
      return `project file ${name}`;
    case "user":
      return `user choice in ${name}`;
    case "running":
      return `engine running already (${name})`;
    case "default":
      return `default ${name}`;
  }
}
