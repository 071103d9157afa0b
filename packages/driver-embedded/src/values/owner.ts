import type { Call } from "../plan/call.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * `user`, `uid`, `user:group` … as an owner; "" is none. One name or number stands for both (engine 0.21.8). Names are
 * looked up with `read`, which gives a text file of the container or undefined.
 */
export async function resolveOwner(owner: string, call: Call, read: (path: string, call: Call) => Promise<string | undefined>): Promise<Owner | undefined> {
  if (owner === "") return undefined;
  const [user = "", group = user] = owner.split(":");
  const uid = await resolveId(user, "/etc/passwd", call, read);
  // A user without a group owns with its own id, also where passwd names another primary group.
  return { uid, gid: owner.includes(":") ? await resolveId(group, "/etc/group", call, read) : uid };
}

async function resolveId(name: string, file: string, call: Call, read: (path: string, call: Call) => Promise<string | undefined>): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const text = await read(file, call);
  if (text === undefined) throw new Error(`open ${file}: stat ${file}: no such file or directory`);
  for (const line of text.split("\n")) {
    const [each, , id] = line.split(":");
    if (each === name && id !== undefined && /^\d+$/.test(id)) return Number(id);
  }
  throw new Error(`no such ${file === "/etc/passwd" ? "user" : "group"}: ${name}`);
}
