import { readFile } from "node:fs/promises";

import { RunnerError } from "@anyrunner/core/driver";

import type { ToyTarget } from "./target.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The address of the target's runner. Fails with NOT_FOUND when the file or the name is missing, INVALID_CONFIG when the file makes no sense. */
export async function findAddress({ file, name }: ToyTarget): Promise<Address> {
  const inventory = parseInventory(await readInventory(file), file);
  const address = inventory[name];
  if (address === undefined) {
    throw new RunnerError("NOT_FOUND", `${file} has no runner "${name}"`, { hint: `it has ${Object.keys(inventory).join(", ")}`, driver: "toy" });
  }
  const match = /^(.+):(\d{1,5})$/.exec(address);
  if (match === null) throw new RunnerError("INVALID_CONFIG", `${file}: "${address}" is not host:port`, { driver: "toy" });
  return { host: match[1] ?? "", port: Number(match[2]) };
}

async function readInventory(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new RunnerError("NOT_FOUND", `the inventory ${file} can't be read`, { cause: error, hint: "name it with ?file=PATH", driver: "toy" });
  }
}

function parseInventory(text: string, file: string): Readonly<Record<string, string>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, string>>;
  } catch (error) {
    throw new RunnerError("INVALID_CONFIG", `${file} is no JSON`, { cause: error, driver: "toy" });
  }
}
