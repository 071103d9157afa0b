const BRAND = Symbol.for("anyrunner.UpgradeRefusedError");

/** The engine answered an upgrade with another status than 101. Test with `UpgradeRefusedError.is`. */
export class UpgradeRefusedError extends Error {
  readonly status: number;
  /** What the engine said, without the line end; at most 64 KiB. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(`the engine refused the upgrade with status ${status}${body === "" ? "" : `: ${body}`}`);
    this.status = status;
    this.body = body;
    Object.defineProperty(this, BRAND, { value: true });
  }

  static is(value: unknown): value is UpgradeRefusedError {
    return typeof value === "object" && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
  }
}

Object.defineProperty(UpgradeRefusedError.prototype, "name", { value: "UpgradeRefusedError", configurable: true });
