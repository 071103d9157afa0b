/** Percent-codes a status message for the `grpc-message` header: UTF-8, everything outside space to `~` and `%` itself. */
export function encodeStatusMessage(message: string): string {
  if (/^[ -$&-~]*$/.test(message)) return message;
  let coded = "";
  for (const byte of Buffer.from(message, "utf8")) {
    coded += byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return coded;
}

/** Reverses `encodeStatusMessage`. Never throws: what is no valid code stays as it is. */
export function decodeStatusMessage(coded: string): string {
  if (!coded.includes("%")) return coded;
  const bytes: Buffer[] = [];
  for (const part of coded.split(/((?:%[0-9a-fA-F]{2})+)/)) {
    bytes.push(/^%[0-9a-fA-F]{2}/.test(part) ? Buffer.from(part.replaceAll("%", ""), "hex") : Buffer.from(part, "utf8"));
  }
  return Buffer.concat(bytes).toString("utf8");
}
