export { createToyDriver, driver } from "./driver.ts";
export type { ToyHandle } from "./find-runner.ts";
export type { ToyTarget } from "./target.ts";
