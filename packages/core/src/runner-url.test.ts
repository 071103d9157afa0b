import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { RunnerError } from "./runner-error.ts";
import { formatRunnerUrl, parseRunnerUrl, serializeRunnerUrl, type RunnerUrl } from "./runner-url.ts";

const parse = (text: string): RunnerUrl | string => {
  try {
    return parseRunnerUrl(text);
  } catch (error) {
    return RunnerError.is(error) ? `${error.code} ${error.message}` : String(error);
  }
};

describe("parseRunnerUrl", () => {
  test.each<[string, RunnerUrl]>([
    ["docker-image://alpine:3.20?x=y", { scheme: "docker-image", body: "alpine:3.20", params: [{ name: "x", value: "y" }] }],
    ["UNIX:///Run/Engine.sock", { scheme: "unix", body: "/Run/Engine.sock", params: [] }],
    ["container+docker://My_Engine", { scheme: "container+docker", body: "My_Engine", params: [] }],
    ["npipe:////./pipe/Docker", { scheme: "npipe", body: "//./pipe/Docker", params: [] }],
    ["embedded://", { scheme: "embedded", body: "", params: [] }],
    ["tcp://[::1]:8080?", { scheme: "tcp", body: "[::1]:8080", params: [] }],
    [
      "image://r.io/a/b:t@sha256:0a1b?env=A%3DB&env=C",
      {
        scheme: "image",
        body: "r.io/a/b:t@sha256:0a1b",
        params: [
          { name: "env", value: "A=B" },
          { name: "env", value: "C" },
        ],
      },
    ],
    [
      "x://a?b=c?d=e&f",
      {
        scheme: "x",
        body: "a",
        params: [
          { name: "b", value: "c?d=e" },
          { name: "f", value: "" },
        ],
      },
    ],
    ["x://a?b=one+two%20%2B%23", { scheme: "x", body: "a", params: [{ name: "b", value: "one two +#" }] }],
    ["x://y://z", { scheme: "x", body: "y://z", params: [] }],
    ["  unix:///a\n", { scheme: "unix", body: "/a", params: [] }],
  ])("%s", (text, url) => {
    expect(parseRunnerUrl(text)).toEqual(url);
  });

  test.each([
    ["", 'it has no "://"'],
    ["docker", 'it has no "://"'],
    ["/run/engine.sock", 'it has no "://"'],
    ["://x", 'what stands before "://" is no scheme'],
    ["1tcp://x", 'what stands before "://" is no scheme'],
    ["tc_p://x", 'what stands before "://" is no scheme'],
    ["tcp://a b", "it contains a space or a control character"],
    ["tcp://a\u0000b", "it contains a space or a control character"],
    ["tcp://a#b", "it has a fragment"],
    ["tcp://a?x=1#b", "it has a fragment"],
    [`tcp://${"a".repeat(9000)}`, "it is longer than 8192 characters"],
  ])("refuses %j", (text, reason) => {
    expect(parse(text)).toMatch(/^INVALID_URL runner URL "/);
    expect(parse(text)).toContain(reason);
  });

  test("suggests the scheme's form for a bare word, and the escape for a fragment", () => {
    expect(() => parseRunnerUrl("embedded")).toThrow(expect.objectContaining({ hint: "write embedded://…" }));
    expect(() => parseRunnerUrl("tcp://a#b")).toThrow(expect.objectContaining({ hint: "write %23 for a literal #" }));
  });

  test("gives a URL or INVALID_URL for any text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary", maxLength: 60 }),
          fc.webUrl({ withQueryParameters: true, withFragments: true }),
          fc.string().map((text) => `x://${text}`),
        ),
        (text) => {
          const result = parse(text);
          expect(typeof result === "object" ? "INVALID_URL" : result).toMatch(/^INVALID_URL/);
        },
      ),
      { numRuns: 500 },
    );
  });
});

const scheme = fc.stringMatching(/^[a-z][a-z0-9.+-]{0,12}$/);
const body = fc.stringMatching(/^[!-"$->@-~]{0,40}$/);
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const runnerUrl: fc.Arbitrary<RunnerUrl> = fc.record({ scheme, body, params: fc.array(fc.record({ name: text, value: text }), { maxLength: 5 }) });

describe("serializeRunnerUrl", () => {
  test("is undone by parseRunnerUrl, whatever the body and the parameters hold", () => {
    fc.assert(
      fc.property(runnerUrl, (url) => {
        expect(parseRunnerUrl(serializeRunnerUrl(url))).toEqual(url);
      }),
      { numRuns: 1000 },
    );
  });

  test("parse, serialise and parse again changes nothing", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }).map((rest) => `x://${rest.replaceAll(/[\s#]/g, "")}`),
        (input) => {
          const once = parse(input);
          fc.pre(typeof once === "object");
          expect(parse(serializeRunnerUrl(once))).toEqual(once);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("formatRunnerUrl", () => {
  test.each([
    ["tcp://user:hunter22@host:1", "tcp://user:***@host:1"],
    ["tcp://user@host:1", "tcp://user@host:1"],
    ["tcp://:hunter22@host", "tcp://:***@host"],
    ["tcp://user:hun/ter22@host:1", "tcp://user:***@host:1"],
    ["tcp://user:hunter@22@host:1", "tcp://user:***@host:1"],
    ["image://user:hunter22@r.io/a:t@sha256:00ff", "image://user:***@r.io/a:t@sha256:00ff"],
    ["image://r.io:5000/a:t@sha256:00ff", "image://r.io:5000/a:t@sha256:00ff"],
    ["unix:///run/a:b@c.sock", "unix:///run/a:b@c.sock"],
    ["x://a?apikey=hunter22&access_token=hunter22&Password=hunter22&mode=fast", "x://a?apikey=***&access_token=***&Password=***&mode=fast"],
    ["x://a?path=/tmp/a,b@c:1", "x://a?path=/tmp/a,b@c:1"],
    ["x://a?password-file=/run/pw&token_path=/t&TOKEN_FILE=b&credential-path=c", "x://a?password-file=/run/pw&token_path=/t&TOKEN_FILE=b&credential-path=c"],
    ["x://a?file-token=hunter22&tokenfile=hunter22", "x://a?file-token=***&tokenfile=***"],
  ])("%s is shown as %s", (input, shown) => {
    expect(formatRunnerUrl(parseRunnerUrl(input))).toBe(shown);
  });

  test("hides what the driver calls secret", () => {
    expect(formatRunnerUrl(parseRunnerUrl("x://a?pin=1234"), { secretParams: ["pin"] })).toBe("x://a?pin=***");
    expect(formatRunnerUrl(parseRunnerUrl("x://a?key-file=1234"), { secretParams: ["key-file"] })).toBe("x://a?key-file=***");
  });

  test("a planted password shows neither in the printed URL nor in the error of a broken one", () => {
    const secret = fc.stringMatching(/^(?:[A-Za-z0-9][A-Za-z0-9/@:._~-]{0,6})?Zq7Z[A-Za-z0-9/@:._~-]{0,6}$/);
    const broken = fc.constantFrom("", "#f", "?a=1#b", "?token=Zq7Z#b", " ", "\u0001");
    const prefix = fc.constantFrom("tcp://", "tcp:/", "tcp:", "", "1x://", "SSH://");
    fc.assert(
      fc.property(prefix, secret, broken, (start, password, end) => {
        const result = parse(`${start}user:${password}@host/path${end}`);
        expect(typeof result === "string" ? result : formatRunnerUrl(result)).not.toContain("Zq7Z");
      }),
      { numRuns: 1000 },
    );
  });
});
