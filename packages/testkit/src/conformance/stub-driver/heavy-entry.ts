import "fast-check";

export { driver } from "./stub-driver.ts";
