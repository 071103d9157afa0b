import { connection, dag } from "@dagger.io/dagger";
import { getTracer } from "@dagger.io/dagger/telemetry";

/**
 * What the record of telemetry watches: the official SDK with its OpenTelemetry uploads a folder, has two secrets, runs a step that prints and
 * sleeps and one that fails, all of it inside a span of its own. Ends with 7.
 *
 * Usage: node telemetry-program.ts ROOTFS, with a secret in RECORD_SECRET.
 */
const [rootfs = ""] = process.argv.slice(2);
await connection(async () => {
  await getTracer("record").startActiveSpan("\u001b[31ma span of the program\u001b[0m", async (span) => {
    const container = dag
      .container()
      .withRootfs(dag.host().directory(rootfs))
      .withSecretVariable("ONE", dag.secret("env://RECORD_SECRET"))
      .withSecretVariable("TWO", dag.setSecret("two", "set-by-the-program"))
      .withEnvVariable("RUN", String(process.pid));
    console.log("the program prints");
    console.log((await container.withExec(["sh", "-c", "echo knows $ONE and $TWO; sleep 2; echo slept"]).stdout()).trimEnd());
    // Told after the engine has asked for it: nobody can hide what isn't known to be a secret yet.
    span.setAttribute("what it knows", process.env["RECORD_SECRET"] ?? "");
    await container
      .withExec(["sh", "-c", "echo no good; exit 3"])
      .sync()
      .catch(() => console.log("a step failed"));
  });
});
process.exitCode = 7;
