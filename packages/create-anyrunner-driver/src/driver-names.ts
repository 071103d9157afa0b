/** The name of a driver in the forms in which code needs it. */
export interface DriverNames {
  /** `my-cloud`: driver and scheme. */
  readonly kebab: string;
  /** `MyCloud`, in the names of types and functions. */
  readonly pascal: string;
  /** `MY_CLOUD`, in the names of constants. */
  readonly constant: string;
}

const PREFIX = "anyrunner-driver-";
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const MAX_LENGTH = 40;

/**
 * Reads the name of a driver: lower-case words with dashes between them, at most 40 characters; `anyrunner-driver-` before it is ignored.
 * Throws an Error that says what is wrong.
 */
export function driverNames(text: string): DriverNames {
  const kebab = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text;
  if (!NAME.test(kebab))
    throw new Error(`"${text}" is no name for a driver: lower-case letters and digits, words with a dash between them, for example my-cloud`);
  if (kebab.length > MAX_LENGTH) throw new Error(`"${text}" is longer than ${MAX_LENGTH} characters`);
  const words = kebab.split("-");
  return {
    kebab,
    pascal: words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join(""),
    constant: words.join("_").toUpperCase(),
  };
}

/** The name of the package that holds the driver. */
export function packageName({ kebab }: DriverNames): string {
  return PREFIX + kebab;
}

/** The template's text with its own name, `echo`, replaced. */
export function renamed(text: string, { kebab, pascal, constant }: DriverNames): string {
  return text.replaceAll("ECHO", constant).replaceAll("Echo", pascal).replaceAll("echo", kebab);
}
