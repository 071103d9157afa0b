import { stopOutputProcessing } from "./stop-output-processing.ts";

process.stdin.setRawMode(true);
await stopOutputProcessing(process.stdin, new AbortController().signal);
await new Promise((resolve) => process.stdout.write("one\ntwo\n", resolve));
process.stdin.setRawMode(false);
process.stdout.write("three\n");
