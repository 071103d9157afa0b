import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/prompt_pb.ts");

/** Questions to the user. */
export const Prompt = {
  promptBool: protobufMethod("/dagger.prompt.Prompt/PromptBool", async () => (await generated()).Prompt.method.promptBool),
  promptString: protobufMethod("/dagger.prompt.Prompt/PromptString", async () => (await generated()).Prompt.method.promptString),
} as const;
