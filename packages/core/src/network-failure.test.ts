import { once } from "node:events";
import { connect } from "node:net";

import { expect, test } from "vitest";

import { networkFailure } from "./network-failure.ts";

test.each([
  ["ECONNREFUSED", "refused"],
  ["ENETUNREACH", "unreachable"],
  ["ENOTSOCK", "missing"],
  ["EACCES", "forbidden"],
  ["EAI_AGAIN", "unnamed"],
  ["ETIMEDOUT", "late"],
  ["ERR_STREAM_PREMATURE_CLOSE", "cut"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls"],
  ["EPROTO", "tls"],
  ["HPE_INVALID_CONSTANT", "no-http"],
  ["EMFILE", undefined],
  ["constructor", undefined],
])("%s is %s", (errno, kind) => {
  expect(networkFailure(Object.assign(new Error("failed"), { code: errno }))).toEqual({ kind, errno });
});

test("of several addresses the first one's reason counts", () => {
  const refused = Object.assign(new Error("one"), { code: "ECONNREFUSED" });
  const late = Object.assign(new Error("two"), { code: "ETIMEDOUT" });
  expect(networkFailure(new AggregateError([refused, late]))).toEqual({ kind: "refused", errno: "ECONNREFUSED" });
});

test.each([new Error("failed"), Object.assign(new Error("failed"), { code: 7 }), "text", undefined, null, new AggregateError([])])(
  "%o is none of the network's",
  (error) => {
    expect(networkFailure(error)).toEqual({ kind: undefined, errno: undefined });
  },
);

test("Node's own error for a socket that isn't there", async () => {
  const [error] = await once(connect({ path: "/no/such/socket" }), "error").catch((thrown: unknown) => [thrown]);
  expect(networkFailure(error)).toEqual({ kind: "missing", errno: "ENOENT" });
});
