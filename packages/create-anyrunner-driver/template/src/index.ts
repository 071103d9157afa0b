export { createEchoDriver, driver } from "./driver.ts";
export type { EchoHandle } from "./find-runner.ts";
export type { EchoTarget } from "./target.ts";
