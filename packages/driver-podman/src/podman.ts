import { createContainerCliDriver } from "./driver.ts";

/** The driver with its defaults: what a registry loads. */
export const driver = createContainerCliDriver("podman");
