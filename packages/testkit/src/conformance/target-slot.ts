/** Room for the runner that a group of cases shares: one at a time. */
export interface TargetSlot {
  /** What `group` shares, made by the first case that needs it. A failure to make it is every case's of the group. */
  share<T>(group: string, make: () => Promise<T>, remove: (value: T) => PromiseLike<void>): Promise<T>;
  /** Removes what another group shared. */
  enter(group: string): Promise<void>;
  /** Removes whatever is there. */
  release(): Promise<void>;
}

interface Shared {
  readonly group: string;
  readonly value: Promise<unknown>;
  readonly remove: () => Promise<void>;
}

export function createTargetSlot(): TargetSlot {
  let shared: Shared | undefined;
  const release = async () => {
    const last = shared;
    shared = undefined;
    await last?.remove();
  };
  return {
    release,
    async enter(group) {
      if (shared?.group !== group) await release();
    },
    share<T>(group: string, make: () => Promise<T>, remove: (value: T) => PromiseLike<void>) {
      if (shared?.group !== group) {
        const value = make();
        shared = { group, value, remove: () => value.then(remove, () => {}) };
      }
      return shared.value as Promise<T>;
    },
  };
}
