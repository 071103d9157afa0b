import { isIP } from "node:net";

/** Whether what is sent to that host stays on this machine: an address without brackets, or `localhost`. No other name counts; none is looked up. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
