import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The folder that the recorded cases read from the host. */
export interface CoreApiFixture {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes it anew. `rootfs` has a static busybox and links to a few of its programs. */
export async function makeCoreApiFixture(): Promise<CoreApiFixture> {
  const path = await mkdtemp(join(tmpdir(), "anyrunner-core-api-"));
  await chmod(path, 0o755);
  const folder = async (name: string) => {
    await mkdir(join(path, name), { recursive: true });
    await chmod(join(path, name), 0o755);
  };
  const file = async (name: string, text: string | Uint8Array, mode = 0o644) => {
    await writeFile(join(path, name), text);
    await chmod(join(path, name), mode);
  };
  for (const name of ["src", "src/sub", "src/node_modules", "rootfs", "rootfs/bin", "rootfs/etc", "rootfs/tmp"]) await folder(name);
  await file("src/.gitignore", "node_modules\n");
  await file("src/a.txt", "hello\n");
  await symlink("a.txt", join(path, "src/link"));
  await file("src/node_modules/x.js", "junk\n");
  await file("src/run.sh", "#!/bin/sh\necho run\n", 0o755);
  await file("src/sub/b.txt", "nested\n");
  await file("src/zeros.bin", new Uint8Array(100_000));
  await file("secret.txt", "s3cret-value\n");
  await copyFile("/bin/busybox", join(path, "rootfs/bin/busybox"));
  await chmod(join(path, "rootfs/bin/busybox"), 0o755);
  for (const name of ["sh", "ls", "cat", "echo", "sleep", "uname", "nc", "wget", "httpd", "id", "mkdir", "env"])
    await symlink("busybox", join(path, "rootfs/bin", name));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
