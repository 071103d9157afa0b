// For everyone who uses the embedded runner.
export { createEmbeddedDriver, defaultState, driver, type EmbeddedHandle, type EmbeddedSettings } from "./driver.ts";
export { serveEmbedded, type EmbeddedServer, type ServeEmbeddedOptions } from "./serve.ts";
export { pruneEmbedded, readEmbeddedDisk, type EmbeddedDiskItem, type EmbeddedDiskOptions, type PrunedEmbedded } from "./disk/embedded-disk.ts";
export { parseListenAddress, type ListenAddress } from "./image/listen.ts";
export type { EmbeddedTarget } from "./target.ts";
export type { EmbeddedEngine } from "./engine.ts";
export type { Executor } from "./executor/executor.ts";
