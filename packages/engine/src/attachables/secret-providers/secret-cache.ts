/** Keeps what a provider gave, so that its program runs once for a secret that many steps use. */
export interface SecretCache<Value> {
  /** Loads one at a time; what fails is not kept. `ttlMs` undefined or 0: for as long as the cache lives. */
  get(key: string, ttlMs: number | undefined, load: () => Promise<Value>): Promise<Value>;
}

const MOST = 100;

/** `now` in ms. */
export function createSecretCache<Value>(now: () => number = () => performance.now()): SecretCache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly expiresAt: number }>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    get(key, ttlMs, load) {
      const answer = last.then(async () => {
        const kept = entries.get(key);
        if (kept !== undefined && kept.expiresAt > now()) return kept.value;
        const value = await load();
        entries.delete(key);
        entries.set(key, { value, expiresAt: ttlMs ? now() + ttlMs : Infinity });
        for (const [oldest] of entries) if (entries.size > MOST) entries.delete(oldest);
        return value;
      });
      last = answer.catch(() => {});
      return answer;
    },
  };
}
