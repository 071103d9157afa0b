import { expect, test } from "vitest";

import { parseCaCertificates } from "./ca-certificates.ts";
import { AUTHORITY, OTHER_AUTHORITY, SERVER } from "./test-certificates.ts";

const NOW = Date.parse("2030-01-01");
const AFTER_ALL = Date.parse("2200-01-01");
const parse = (text: string, now = NOW) => parseCaCertificates([{ name: "ca.pem", text }], now);

test("each authority becomes a file of its own, once, whatever stands around it", () => {
  const bundle = `# ours\r\n${OTHER_AUTHORITY}\nand\n${AUTHORITY}${AUTHORITY}`;
  const found = parse(bundle);
  expect(found.map(({ fileName, subject }) => [fileName.replace(/[0-9a-f]{8}\.crt$/, "*.crt"), subject])).toEqual([
    ["corp-co-ltd-*.crt", "O=Corp & Co. Ltd."],
    ["example-root-*.crt", "CN=Example Root"],
  ]);
  expect(found[1]?.pem.trim()).toBe(AUTHORITY.trim());
  expect(parse(AUTHORITY)[0]).toEqual(found[1]);
});

test.each([
  ["no certificate", "hello", "holds no certificate in PEM"],
  ["one that is cut", AUTHORITY.slice(0, 100), "holds no certificate in PEM"],
  ["one that is broken", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----", "can't be read"],
  ["one of a server", SERVER, '"CN=server.example.com" in ca.pem is not that of an authority'],
  ["a private key beside it", `${AUTHORITY}\n-----BEGIN EC PRIVATE KEY-----\nMA==\n-----END EC PRIVATE KEY-----\n`, "holds a private key"],
])("%s is refused, by its file's name", (_what, text, words) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining(words), hint: expect.any(String) }));
  expect(() => parse(text)).toThrow("ca.pem");
});

test("one that has expired is refused", () => {
  expect(() => parse(AUTHORITY, AFTER_ALL)).toThrow(/has expired/);
});
