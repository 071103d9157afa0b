import { connection, dag } from "@dagger.io/dagger";

await connection(async () => {
  const root = dag.host().directory("rootfs");
  const output = await dag.container().withRootfs(root).withExec(["sh", "-c", 'echo "Hello from a container: $(uname -s), $(busybox | head -n 1)"']).stdout();
  process.stdout.write(output);
});
