import type { UserStore } from "@anyrunner/config";
import type { DriverEntry } from "@anyrunner/core";

/** Where drivers from outside are looked for, and who allowed them. */
export interface OutsideDriversOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly store: UserStore;
}

const checks = new WeakMap<DriverEntry["load"], () => Promise<void>>();

/** An entry whose driver is loaded only after `check`, which does all that comes before anything of it runs. */
export function outsideEntry({ check, load, ...entry }: DriverEntry & { readonly check: () => Promise<void> }): DriverEntry {
  const checkedLoad = async () => {
    await check();
    return load();
  };
  checks.set(checkedLoad, check);
  return { ...entry, load: checkedLoad };
}

/**
 * Does all that loading an outside driver does before anything of it runs: is it installed, is its interface known, did the user
 * allow it? `undefined` for an entry that is no outside driver. Fails as loading does.
 */
export function checkOutsideDriver(entry: DriverEntry): Promise<void> | undefined {
  return checks.get(entry.load)?.();
}
