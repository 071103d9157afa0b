import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { makeBusyboxRootfs } from "@anyrunner/testkit";

const SOURCE = `type Demo {
  pub hello(name: String!): String! { "hello, " + name }
  pub run(root: Directory!, text: String!): String! { container.withRootfs(root).withExec(["echo", text]).stdout }
  pub slow(root: Directory!, mark: String!): String! {
    container.withRootfs(root).withEnvVariable("MARK", mark).withExec(["sh", "-c", "sleep 40; echo late"]).stdout
  }
  pub fails(root: Directory!): String! { container.withRootfs(root).withExec(["sh", "-c", "echo oops >&2; exit 3"]).stdout }
  pub fetch(root: Directory!, service: Service!, mark: String!): String! {
    container.withRootfs(root).withServiceBinding("served", service).withEnvVariable("MARK", mark).withExec(["wget", "-qO-", "http://served:" + mark + "/"]).stdout
  }
  pub base(root: Directory!): Container! { container.withRootfs(root) }
  pub web(root: Directory!): Service! {
    container.withRootfs(root).withNewFile("/www/page", "from the service").withExposedPort(8080).asService(args: ["httpd", "-f", "-p", "8080", "-h", "/www"])
  }
}
`;

/** A module that the engine interprets by itself, and a root file system of busybox beside it; no network is needed. */
export async function makeModule(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "dagger.json"), JSON.stringify({ name: "demo", sdk: { source: "dang" }, engineVersion: "v0.21.4" }));
  await writeFile(join(folder, "main.dang"), SOURCE);
  await makeBusyboxRootfs(join(folder, "rootfs"));
}
