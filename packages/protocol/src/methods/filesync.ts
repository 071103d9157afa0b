/**
 * Paths of the two file services. Their messages are raw bytes here: which of Packet, Stat and BytesMessage travels depends on the
 * metadata of the call, and the hot path has a codec of its own.
 */
export const FILE_SYNC_DIFF_COPY = "/moby.filesync.v1.FileSync/DiffCopy";
export const FILE_SYNC_TAR_STREAM = "/moby.filesync.v1.FileSync/TarStream";
export const FILE_SEND_DIFF_COPY = "/moby.filesync.v1.FileSend/DiffCopy";
