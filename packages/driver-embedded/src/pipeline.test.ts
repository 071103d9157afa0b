import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openTestSession, type TestSession } from "./test-session.ts";

let at: TestSession;

beforeAll(async () => {
  at = await openTestSession({ env: { TOKEN: "hidden-value" } });
});

afterAll(() => at.close());

describe("a container", () => {
  test("runs a chain and tells what it wrote", async () => {
    const { container } = await at.query(
      '{container{from(address:"base:1"){withExec(args:["write","/a","1"]){withExec(args:["cat","/a","/etc/os"]){stdout exitCode}}}}}',
    );
    expect(container.from.withExec.withExec).toEqual({ stdout: "1base\n", exitCode: 0 });
  });

  test("starts from a directory of the host", async () => {
    await writeFile(join(at.folder, "greeting"), "hello");
    const { host } = await at.query('{host{directory(path:"."){id}}}');
    const { container } = await at.query('query($d:ID!){container{withRootfs(directory:$d){withExec(args:["cat","/greeting"]){stdout}}}}', {
      d: host.directory.id,
    });
    expect(container.withRootfs.withExec.stdout).toBe("hello");
  });

  test("is refused with EXEC_ERROR when a command fails", async () => {
    expect(await at.failure('{container{from(address:"base:1"){withExec(args:["fail","7"]){stdout}}}}')).toEqual({
      message: "exit code: 7",
      path: ["container", "from", "withExec", "stdout"],
      extensions: { _type: "EXEC_ERROR", cmd: ["fail", "7"], exitCode: 7, stdout: "o", stderr: "e" },
    });
  });

  test("has no fields after a failed command, but an id", async () => {
    expect(await at.failure('{container{from(address:"base:1"){withExec(args:["fail","3"]){withEnvVariable(name:"A",value:"1"){workdir}}}}}')).toMatchObject({
      message: "exit code: 3",
    });
    expect((await at.query('{container{from(address:"base:1"){withExec(args:["fail","3"]){id}}}}')).container.from.withExec.id).toMatch(/./);
  });

  test("gets variables of the image and of the pipeline, PATH, and nothing else", async () => {
    const { container } = await at.query('{container{from(address:"base:1"){withEnvVariable(name:"A",value:"x=y"){withExec(args:["env"]){stdout}}}}}');
    expect(container.from.withEnvVariable.withExec.stdout.split("\n").toSorted()).toEqual([
      "A=x=y",
      "LANG=C",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]);
  });

  test("redirects what a command says into a file, and reads one as its input", async () => {
    const { container } = await at.query(
      '{container{from(address:"base:1"){withNewFile(path:"/in",contents:"given"){withExec(args:["stdin"],redirectStdin:"/in",redirectStdout:"/out"){stdout file(path:"/out"){contents}}}}}}',
    );
    expect(container.from.withNewFile.withExec).toEqual({ stdout: "given", file: { contents: "given" } });
  });

  test("keeps caches and temporary folders out of what the API reads", async () => {
    const { cacheVolume } = await at.query('{cacheVolume(key:"k"){id}}');
    expect(await at.failure(`{container{withMountedCache(path:"/c",cache:"${cacheVolume.id}"){file(path:"/c/f"){contents}}}}`)).toMatchObject({
      message: "/c/f: cannot retrieve path from cache",
    });
    expect(await at.failure('{container{withMountedTemp(path:"/t"){directory(path:"/t"){entries}}}}')).toMatchObject({
      message: "/t: cannot retrieve path from tmpfs",
    });
  });
});

describe("secrets", () => {
  test("are masked in output, errors and redirected files, but not in files that the command wrote", async () => {
    const { secret } = await at.query('{secret(uri:"env://TOKEN"){id}}');
    const { container } = await at.query(
      `{container{from(address:"base:1"){withSecretVariable(name:"T",secret:"${secret.id}"){withExec(args:["env"],redirectStdout:"/o"){stdout file(path:"/o"){contents}}}}}}`,
    );
    expect(container.from.withSecretVariable.withExec.stdout).toContain("T=***");
    expect(container.from.withSecretVariable.withExec.file.contents).toContain("T=***");
    const failed = await at.failure(
      `{container{from(address:"base:1"){withSecretVariable(name:"T",secret:"${secret.id}"){withExec(args:["fail","2","say hidden-value"]){stdout}}}}}`,
    );
    expect(failed.extensions).toMatchObject({ stderr: "say ***" });
  });

  test("of setSecret never show in ids, and a new value replaces the old one", async () => {
    const { setSecret } = await at.query('{setSecret(name:"n",plaintext:"first-plaintext"){id}}');
    expect(Buffer.from(setSecret.id, "base64").toString()).not.toContain("first-plaintext");
    await at.query('{setSecret(name:"n",plaintext:"second"){id}}');
    expect((await at.query(`{loadSecretFromID(id:"${setSecret.id}"){plaintext}}`)).loadSecretFromID.plaintext).toBe("second");
  });
});

describe("the host", () => {
  test("gives directories by filter, links as links", async () => {
    await mkdir(join(at.folder, "tree/sub"), { recursive: true });
    await writeFile(join(at.folder, "tree/a.txt"), "a");
    await writeFile(join(at.folder, "tree/sub/b.log"), "b");
    await symlink("a.txt", join(at.folder, "tree/link"));
    const { host } = await at.query('{host{directory(path:"tree",exclude:["**/*.log"]){glob(pattern:"**") file(path:"link"){contents}}}}');
    expect(host.directory).toEqual({ glob: ["a.txt", "link", "sub/"], file: { contents: "a" } });
  });

  test("gets directories and files, and says where they are", async () => {
    const target = join(at.folder, "out");
    const { directory } = await at.query(
      `{directory{withNewFile(path:"d/f",contents:"x"){export(path:"${target}") file(path:"d/f"){export(path:"${target}/copy")}}}}`,
    );
    expect(directory.withNewFile.export).toBe(target);
    expect(directory.withNewFile.file.export).toBe(join(target, "copy"));
    expect(await readFile(join(target, "d/f"), "utf8")).toBe("x");
    expect(await readFile(join(target, "copy"), "utf8")).toBe("x");
  });

  test("is refused a name that is not UTF-8", async () => {
    await mkdir(join(at.folder, "bytes"));
    await writeFile(Buffer.concat([Buffer.from(`${at.folder}/bytes/a`), Buffer.of(0xff)]), "");
    expect(await at.failure('{host{directory(path:"bytes"){entries}}}')).toMatchObject({
      message: expect.stringContaining('the name "a\ufffd" on the host is not UTF-8, and other names are not supported') as string,
    });
  });

  test("sends again only what changed", async () => {
    await mkdir(join(at.folder, "twice"));
    await writeFile(join(at.folder, "twice/same"), "same");
    await writeFile(join(at.folder, "twice/other"), "old");
    const text = '{host{directory(path:"twice",noCache:true){file(path:"same"){contents} other:file(path:"other"){contents}}}}';
    await at.query(text);
    await writeFile(join(at.folder, "twice/other"), "newer");
    expect((await at.query(text)).host.directory).toEqual({ file: { contents: "same" }, other: { contents: "newer" } });
  });

  test("is asked once for what two queries want at one time", async () => {
    await mkdir(join(at.folder, "once"));
    const text = '{host{directory(path:"once"){id}}}';
    const [a, b] = await Promise.all([at.query(text), at.query(text)]);
    expect(a).toEqual(b);
  });
});

describe("what is not there", () => {
  test("is refused by name", async () => {
    expect(await at.failure("{container{terminal{id}}}")).toMatchObject({
      message: "embedded runner doesn't support Container.terminal",
      path: ["container", "terminal"],
      extensions: { _type: "UNSUPPORTED", field: "Container.terminal" },
    });
  });

  test("is refused by name, arguments included", async () => {
    expect(await at.failure('{container{from(address:"base:1"){withExec(args:["echo"],experimentalPrivilegedNesting:true){stdout}}}}')).toMatchObject({
      message: "embedded runner doesn't support Container.withExec(experimentalPrivilegedNesting:)",
    });
  });

  test("is told with the code of its reason", async () => {
    expect(await at.failure('{container{from(address:"nowhere:1"){id}}}')).toMatchObject({
      path: ["container", "from"],
      extensions: { _type: "IMAGE_PULL_FAILED" },
    });
  });
});
