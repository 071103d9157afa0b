// For everyone who uses runners.
export { createSocketDriver, driver, type SocketHandle, type SocketSettings } from "./driver.ts";

// For authors of drivers.
export { formatSocketAddress, parseSocketTarget, type SocketAddress, type SocketTarget, type TlsAddress } from "./target.ts";
