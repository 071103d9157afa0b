import { createContainerCliDriver } from "./driver.ts";

export const driver = createContainerCliDriver("apple");
