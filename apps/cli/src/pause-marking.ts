type SetFlags = (flags: string) => void;

/**
 * A switch for the time in which files move. Their content passes through buffers outside of V8's heap, which die young; V8 counts them towards
 * the limit of its old generation all the same, and marks a heap of ten megabytes again for each thirty that pass: half of the processor time of
 * an export. Paused, the same buffers go with the young generation's collections, and a heap that really grows is collected at one stroke.
 *
 * Calling it pauses; what it returns ends that. Only in our own process: V8's flags are the whole process's.
 */
export function createMarkingPause(setFlags: SetFlags = setV8Flags): () => () => void {
  let pauses = 0;
  return () => {
    if (pauses++ === 0) setFlags("--no-incremental-marking");
    let isPaused = true;
    return () => {
      if (!isPaused) return;
      isPaused = false;
      // Back before the end: compiled code that is kept for the next run is bound to the flags of the moment when it is written.
      if (--pauses === 0) setFlags("--incremental-marking");
    };
  };
}

/** Loaded when first needed; `--version` and a query without files never need it. */
function setV8Flags(flags: string): void {
  process.getBuiltinModule("node:v8").setFlagsFromString(flags);
}
