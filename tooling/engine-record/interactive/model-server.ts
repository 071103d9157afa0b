import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

export interface ModelServer {
  readonly port: number;
  /** What users have said to the model since the last call of this. */
  heard(): readonly string[];
  close(): void;
}

interface ChatRequest {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

/** A language model by the interface of OpenAI that never knows what to do. */
export async function startModelServer(): Promise<ModelServer> {
  const heard = new Set<string>();
  const server = createServer((request, response) => {
    void answer();
    async function answer() {
      const { messages } = (await json(request)) as ChatRequest;
      for (const { content } of messages.filter(({ role }) => role === "user")) heard.add(typeof content === "string" ? content : JSON.stringify(content));
      const choice = { index: 0, finish_reason: "stop", message: { role: "assistant", content: "I am stuck." } };
      const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ id: "1", object: "chat.completion", created: 0, model: "gpt-4.1", choices: [choice], usage }));
    }
  }).listen(0, "0.0.0.0");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    heard() {
      const all = [...heard];
      heard.clear();
      return all;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
