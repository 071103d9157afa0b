/** The two directions of one call, as gRPC gives them: whole messages. */
export interface PacketChannel {
  readonly messages: AsyncIterable<Uint8Array>;
  /** Sends one message, whole or in parts; the buffers belong to the channel from then on. Resolves when more may be sent. */
  send(message: Uint8Array | readonly Uint8Array[]): Promise<void>;
}
