import { expect, test } from "vitest";
import { parseNetrc } from "./netrc.ts";

test("entries come in the order of the file; comments, accounts and macros are left out", () => {
  const text = `# machine commented login a password b
machine one.example login me password p#ss account x
macdef init
machine in.a.macro login no password no

machine two.example
\tlogin you
\tpassword word
default login anonymous password mail
`;
  expect(parseNetrc(text)).toEqual([
    { machine: "one.example", username: "me", password: "p#ss" },
    { machine: "two.example", username: "you", password: "word" },
    { machine: undefined, username: "anonymous", password: "mail" },
  ]);
});

test.each(["", "login me password x", "machine"])("%j breaks nothing", (text) => {
  expect(parseNetrc(text).every(({ username }) => username === "")).toBe(true);
});
