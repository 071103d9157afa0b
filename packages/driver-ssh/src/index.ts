// For everyone who uses runners.
export { createSshDriver, driver, type SshDriverSettings, type SshHandle } from "./driver.ts";

// For authors of drivers.
export { parseSshTarget, type SshTarget } from "./target.ts";
