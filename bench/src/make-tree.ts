import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface TreeShape {
  readonly files: number;
  readonly fileBytes: number;
}

const FILES_IN_A_FOLDER = 100;
const PIECE_BYTES = 2 ** 24;

/** Files of random bytes, a hundred a folder: `d0/f0`, … */
export function makeTree(root: string, { files, fileBytes }: TreeShape): void {
  for (let index = 0; index < files; index++) {
    const directory = join(root, `d${Math.floor(index / FILES_IN_A_FOLDER)}`);
    if (index % FILES_IN_A_FOLDER === 0) mkdirSync(directory, { recursive: true });
    fillFile(join(directory, `f${index % FILES_IN_A_FOLDER}`), fileBytes);
  }
}

export function fillFile(path: string, bytes: number): void {
  writeFileSync(path, "");
  for (let left = bytes; left > 0; left -= PIECE_BYTES) appendFileSync(path, randomBytes(Math.min(left, PIECE_BYTES)));
}
