export { connectProgram, type ConnectProgramOptions } from "./connect-program.ts";
export { runProgram, type ProgramResult, type RunProgramOptions } from "./run-program.ts";
export { prepareToSpawn, spawnProgram, type ProgramEnd, type SpawnedProgram, type SpawnProgramOptions, type SpawnStdio } from "./spawn-program.ts";
export { openProgramStream, type ProgramFailure, type ProgramStream, type ProgramStreamOptions } from "./program-stream.ts";
export { signalExitCode } from "./signal-exit-code.ts";
export { programCloseReason, programEndText } from "./program-close-reason.ts";
export { createRelayStream, type RelayStreamOptions } from "./relay-stream.ts";
export { startDetached, type StartDetachedOptions } from "./start-detached.ts";
