export { createProgramDriver, loadProgramDriver } from "./driver.ts";
export { describeProgram } from "./describe-program.ts";
export type { ProgramSettings } from "./program-settings.ts";
