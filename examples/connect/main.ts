import { connect } from "@anyrunner/client";
import { createDaggerClient } from "@anyrunner/client/dagger";

await using session = await connect({ runner: process.argv[2] });
const dag = createDaggerClient(session);
const root = dag.host().directory("../hello/rootfs");
console.log(await dag.container().withRootfs(root).withExec(["uname"]).stdout());
