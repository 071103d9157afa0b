import { Client, Context, GraphQLClient } from "@dagger.io/dagger";

import type { Session } from "./connect.ts";

/**
 * The official SDK's client over a session of this process: no port, no variables, nothing global. Several can live side by side.
 * Needs `@dagger.io/dagger`, which the project brings. Calls fail with the SDK's own errors.
 */
export function createDaggerClient(session: Session): Client {
  // The address is for messages only: what is sent goes through the session.
  const graphql = new GraphQLClient("http://session.invalid/query", { fetch: fetchThrough(session) });
  const connection = { getGQLClient: () => graphql } as unknown as ConstructorParameters<typeof Context>[1];
  return new Client(new Context([], connection));
}

function fetchThrough(session: Session): typeof fetch {
  return async (_address, init) => {
    // The SDK sends GraphQL as JSON text and nothing else.
    const request = JSON.parse(init?.body as string) as Parameters<Session["query"]>[0];
    const answer = await session.query({ ...request, signal: init?.signal ?? undefined });
    return new Response(JSON.stringify(answer), { headers: { "content-type": "application/json" } });
  };
}
