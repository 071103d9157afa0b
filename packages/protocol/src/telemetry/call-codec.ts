import type { Call, Literal } from "../gen/call_pb.ts";

export type { Call as ApiCall, Literal as ApiLiteral };

/** Reads the API call that a span carries in its attribute `dagger.io/dag.call` (engine protocol 7.3). */
export interface CallCodec {
  /** `undefined` when the text is no call. */
  decode(text: string): Call | undefined;
}

/** Loads the codec; only who shows calls has a use for its descriptors. */
export async function loadCallCodec(): Promise<CallCodec> {
  const [{ fromBinary }, { CallSchema }] = await Promise.all([import("@bufbuild/protobuf"), import("../gen/call_pb.ts")]);
  return {
    decode(text) {
      try {
        const call = fromBinary(CallSchema, Buffer.from(text, "base64"));
        return call.field === "" ? undefined : call;
      } catch {
        return undefined;
      }
    },
  };
}
