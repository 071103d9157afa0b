/** The version of the core API that is answered; clients compare it with their own. */
export const API_VERSION = "v0.21.8";

/** What `Control/Info` says: an engine of that version, which is this runner. */
export const ENGINE_VERSION = `${API_VERSION}+anyrunner`;
