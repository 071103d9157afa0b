import { timingSafeEqual } from "node:crypto";

/** Checks for Basic authentication with the token as the user; the password is not looked at. */
export function createAuthorization(token: string): (header: string | readonly string[] | undefined) => boolean {
  const wanted = Buffer.from(token);
  return (header) => {
    const match = typeof header === "string" ? /^basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(header) : null;
    if (match?.[1] === undefined) return false;
    const given = Buffer.from(Buffer.from(match[1], "base64").toString("utf8").split(":")[0] ?? "");
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  };
}
