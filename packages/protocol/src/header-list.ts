/** Headers in the order in which they came, names in lower case; repeated ones stay apart. */
export interface HeaderList extends Iterable<readonly [name: string, value: string]> {
  /** The first value of a name. */
  get(name: string): string | undefined;
  /** Every value of a name, in order. */
  getAll(name: string): readonly string[];
}

export function headerList(entries: readonly (readonly [name: string, value: string])[]): HeaderList {
  return {
    get: (name) => entries.find(([key]) => key === name.toLowerCase())?.[1],
    getAll: (name) => entries.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value),
    [Symbol.iterator]: () => entries[Symbol.iterator](),
  };
}
