/** A command that did not end as the pipeline expects. Becomes the API's EXEC_ERROR. */
export class ExecError extends Error {
  readonly cmd: readonly string[];
  /** -1 when the command could not even be prepared. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;

  constructor(options: {
    readonly message?: string;
    readonly cmd: readonly string[];
    readonly exitCode: number;
    readonly stdout: string;
    readonly stderr: string;
  }) {
    super(options.message ?? `exit code: ${options.exitCode}`);
    this.cmd = options.cmd;
    this.exitCode = options.exitCode;
    // The engine trims white space at both ends and cuts nothing.
    this.stdout = options.stdout.trim();
    this.stderr = options.stderr.trim();
  }
}

/** Whether `exitCode` is what the pipeline asked for. Codes 128 to 191 are deaths by signal: errors in any case. */
export function isExpected(exitCode: number, expect: "SUCCESS" | "FAILURE" | "ANY"): boolean {
  if (exitCode > 127 && exitCode < 192) return false;
  return expect === "ANY" || (expect === "SUCCESS") === (exitCode === 0);
}
