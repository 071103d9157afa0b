export { createToyDriver, driver } from "./driver.ts";
export type { ToyHandle } from "./connection.ts";
export type { ToyTarget } from "./target.ts";
