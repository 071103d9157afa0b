/** The metadata of a call, as gRPC gives it. */
export interface CallMetadata {
  get(name: string): string | undefined;
  getAll(name: string): readonly string[];
}

const NOT_ASCII = /[^\x00-\x7f]/;

/** Values of a plain key: form-urlencoded, all of them, if `<key>-encoded` says so (engine protocol 5.3). */
export function readHeaderValues(metadata: CallMetadata, name: string): readonly string[] {
  const values = metadata.getAll(name);
  if (!/^(1|t|true)$/i.test(metadata.get(`${name}-encoded`) ?? "")) return values;
  return values.map(formDecode);
}

/** The other way round: the key, and its companion if a value isn't ASCII. */
export function writeHeaderValues(name: string, values: readonly string[]): Record<string, readonly string[]> {
  if (!values.some((value) => NOT_ASCII.test(value))) return { [name]: values };
  return { [name]: values.map((value) => encodeURIComponent(value).replaceAll("%20", "+")), [`${name}-encoded`]: ["1"] };
}

function formDecode(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll("+", " "));
  } catch {
    return "";
  }
}
