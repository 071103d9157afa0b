import { connection, dag } from "@dagger.io/dagger";

/** Sleeps in a container and prints what no second execution would print. Usage: sleep.ts SECONDS KEY; the same KEY is the same step. */
const [seconds = "1", key = ""] = process.argv.slice(2);
await connection(async () => {
  console.log("started");
  const output = await dag
    .container()
    .withRootfs(dag.host().directory("rootfs"))
    .withEnvVariable("KEY", key)
    .withExec(["sh", "-c", `sleep ${seconds}; cat /proc/sys/kernel/random/uuid`])
    .stdout();
  console.log(output.trim());
});
