import { execFile } from "node:child_process";
import { copyFile, mkdir, realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** What scenarios need of the host besides files: a program in a container, a private repository, credentials, an agent. */
export interface HostFixtures {
  /** Environment of the scenarios. */
  readonly env: Readonly<Record<string, string>>;
  close(): void;
}

/** The credentials of the private repository. */
export const GIT_USER = "robot";
export const GIT_PASSWORD = "hunter2";

const run = promisify(execFile);

/** Fills `folder`; `login` is `USER:PASSWORD@HOST:PORT` of a registry, or empty. */
export async function makeHostFixtures(folder: string, login: string): Promise<HostFixtures> {
  await Promise.all([
    addProgram("perl", join(folder, "perl")),
    makeOddTree(join(folder, "odd")),
    makeRepository(join(folder, "git")),
    makeHome(join(folder, "home")),
    makeDockerConfig(join(folder, "docker"), login),
  ]);
  const socket = join(folder, "agent.sock");
  const { stdout } = await run("ssh-agent", ["-a", socket]);
  const agent = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]);
  const key = join(folder, "key");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "engine-record", "-f", key]);
  await run("ssh-add", ["-q", key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return { env: { HOME: join(folder, "home"), DOCKER_CONFIG: join(folder, "docker"), SSH_AUTH_SOCK: socket }, close: () => void process.kill(agent) };
}

/** A program of this machine with the libraries that it is linked to. */
async function addProgram(name: string, directory: string): Promise<void> {
  const { stdout } = await run("sh", ["-c", 'path=$(command -v "$0") && echo "$path" && ldd "$path"', name]);
  const [program = "", ...libraries] = stdout.split("\n").map((line) => /(?:^|\s)(\/\S+)/.exec(line)?.[1] ?? "");
  for (const path of [program, ...libraries.filter((each) => each !== "")]) {
    const target = path === program ? `/usr/bin/${name}` : path;
    await mkdir(join(directory, dirname(target)), { recursive: true });
    await copyFile(await realpath(path), join(directory, target));
  }
}

/** Names, modes and kinds of files that are rarely seen. */
async function makeOddTree(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const script = String.raw`
    git init -q . && rm -r .git/hooks
    printf '\357\273\277*.log\n*.tmp\n!keep.tmp\n/only/\n' >.gitignore
    mkdir only deep && touch a.log b.tmp keep.tmp only/x deep/keep.tmp deep/c.tmp
    touch "$(printf 'line\nbreak')" 'back\slash' ' spaces ' '*?[' "$(printf 'latin-\351')"
    mkdir "$(printf 'dir-\377')" && echo in >"$(printf 'dir-\377/\376')"
    ln -s "$(printf 'nowhere-\377')" dangling && ln -s loop loop && ln -s /etc absolute && ln -s ../.. up
    echo one >first && ln first second && ln first deep/third
    mkfifo pipe && truncate -s 3M sparse && echo end >>sparse
    touch setuid sticky none && chmod 4755 setuid && chmod 1644 sticky && chmod 0 none
    find . -depth -exec touch -h -d @1700000000 {} +
  `;
  await run("sh", ["-ec", script], { cwd: path });
}

async function makeRepository(path: string): Promise<void> {
  const git = (...args: string[]) => run("git", ["-C", path, "-c", "user.name=a", "-c", "user.email=a@b", ...args]);
  await mkdir(path, { recursive: true });
  await git("init", "-q", "-b", "main");
  await writeFile(join(path, "private.txt"), "private\n");
  await git("add", ".");
  await git("commit", "-q", "--date=2026-01-01T00:00:00Z", "-m", "one");
  await git("config", "http.uploadpack", "true");
}

async function makeHome(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const helper = `!f() { echo username=${GIT_USER}; echo password=${GIT_PASSWORD}; }; f`;
  await writeFile(join(path, ".gitconfig"), `[credential]\n\thelper = "${helper}"\n[safe]\n\tdirectory = *\n`);
}

async function makeDockerConfig(path: string, login: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const [credentials = "", host = ""] = login.split("@");
  const auths = host === "" ? {} : { [host]: { auth: Buffer.from(credentials).toString("base64") } };
  await writeFile(join(path, "config.json"), JSON.stringify({ auths }));
}
