import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/store_pb.ts");

/** Images of the client's container engine. */
export const BasicStore = {
  writeTarball: protobufMethod("/dagger.store.BasicStore/WriteTarball", async () => (await generated()).BasicStore.method.writeTarball),
  readTarball: protobufMethod("/dagger.store.BasicStore/ReadTarball", async () => (await generated()).BasicStore.method.readTarball),
} as const;
