import { Readable } from "node:stream";
import { decodeBytesMessage, encodeBytesMessage } from "@anyrunner/filesync";
import { BasicStore, GrpcError, GrpcStatus, type GrpcCall, type GrpcRoutes } from "@anyrunner/protocol";

/** Images of this machine's container engine. */
export interface ImageStore {
  /** Takes an image as a tar archive, in Docker's form or as an OCI layout, and gives it the name. */
  load(archive: Readable, options: ImageOptions): Promise<void>;
  /** The named image as a tar archive. Fails with RunnerError NOT_FOUND, among others. */
  save(options: ImageOptions): Promise<AsyncIterable<Uint8Array>>;
}

/** Which image, and until when it is wanted. */
export interface ImageOptions {
  /** As people write it, such as `registry.example/app:1`. */
  readonly name: string;
  readonly signal: AbortSignal;
}

/** What an empty answer is on the wire. */
const EMPTY = new Uint8Array();

/** Images go to and come from this machine's container engine (engine protocol 5.11); not offered without one. */
export function imageStoreRoutes({ imageStore }: { readonly imageStore?: ImageStore | undefined }): GrpcRoutes {
  if (imageStore === undefined) return {};
  const write = (call: GrpcCall) => load(call, imageStore);
  return {
    [BasicStore.writeTarball.path]: write,
    [BasicStore.readTarball.path]: (call) => save(call, imageStore),
    // Engines 0.18.13 to 0.18.19.
    "/dagger.store.BasicStore/LoadTarball": write,
  };
}

async function load(call: GrpcCall, store: ImageStore): Promise<void> {
  const archive = Readable.from(contents(call.messages), { objectMode: false });
  try {
    await store.load(archive, { name: imageName(call), signal: call.signal });
  } finally {
    archive.destroy();
  }
  await call.send(EMPTY);
}

async function* contents(messages: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const message of messages) {
    const data = decodeBytesMessage(message);
    if (data.length > 0) yield data;
  }
}

async function save(call: GrpcCall, store: ImageStore): Promise<void> {
  for await (const chunk of await store.save({ name: imageName(call), signal: call.signal })) {
    if (chunk.length > 0) await call.send(encodeBytesMessage(chunk));
  }
}

function imageName(call: GrpcCall): string {
  const name = call.metadata.get("dagger.store.tag");
  if (name === undefined || name === "") throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, "the request lacks the image's name");
  return name;
}
