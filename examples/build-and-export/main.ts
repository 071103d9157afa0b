import { connection, dag } from "@dagger.io/dagger";

await connection(async () => {
  const site = dag
    .container()
    .withRootfs(dag.host().directory("rootfs"))
    .withDirectory("/work/pages", dag.host().directory("pages", { exclude: ["*.draft.txt"] }))
    .withFile("/work/build.sh", dag.host().file("build.sh"))
    .withWorkdir("/work")
    .withEnvVariable("TITLE", "Built in a container")
    .withExec(["sh", "build.sh"])
    .directory("/work/site");

  console.log(`index.html: ${(await site.file("index.html").contents()).length} bytes`);
  await site.export("site");
});
