import { connect, RunnerError } from "@anyrunner/client";
import { createDaggerClient } from "@anyrunner/client/dagger";
import { ReturnType } from "@dagger.io/dagger";

try {
  await using session = await connect({
    runner: process.argv[2],
    signal: AbortSignal.timeout(120_000),
    report: (event) => console.error(event.type, event.message),
    onTelemetry: (event) => {
      if (event.type === "span" && event.span.failed) console.error("failed:", event.span.name);
    },
  });
  const dag = createDaggerClient(session);
  const root = dag.host().directory("../hello/rootfs");
  console.log(await dag.container().withRootfs(root).withExec(["sh", "-c", "exit 3"], { expect: ReturnType.Any }).exitCode());
} catch (error) {
  if (!RunnerError.is(error)) throw error;
  console.error(`${error.code}: ${error.message}\n${error.hint ?? ""}`);
  process.exitCode = 1;
}
