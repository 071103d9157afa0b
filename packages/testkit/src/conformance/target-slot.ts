/** Room for the runner that a group of cases shares: one at a time. */
export interface TargetSlot {
  /** What `group` shares, made by the first case that needs it. What can't be made twice is not tried again: that failure is every case's of the group. */
  share<T>(group: string, make: () => Promise<T>, remove: (value: T) => PromiseLike<void>): Promise<T>;
  /** Removes what another group shared. */
  enter(group: string): Promise<void>;
  /** After a case that failed: the next one gets another, whatever state this one is in. */
  renew(): Promise<void>;
  /** Removes whatever is there. */
  release(): Promise<void>;
}

interface Shared {
  readonly group: string;
  readonly value: Promise<unknown>;
  readonly remove: () => Promise<void>;
}

const MAKING_ATTEMPTS = 2;

export function createTargetSlot(): TargetSlot {
  let shared: Shared | undefined;
  const failures = new Map<string, number>();
  const release = async () => {
    const last = shared;
    shared = undefined;
    await last?.remove();
  };
  return {
    release,
    async renew() {
      if (shared !== undefined && (failures.get(shared.group) ?? 0) < MAKING_ATTEMPTS) await release();
    },
    async enter(group) {
      if (shared?.group !== group) await release();
    },
    share<T>(group: string, make: () => Promise<T>, remove: (value: T) => PromiseLike<void>) {
      if (shared?.group !== group) {
        const value = make();
        value.catch(() => failures.set(group, (failures.get(group) ?? 0) + 1));
        shared = { group, value, remove: () => value.then(remove, () => {}) };
      }
      return shared.value as Promise<T>;
    },
  };
}
