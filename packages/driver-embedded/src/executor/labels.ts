/** Labels of everything that an executor makes. What lacks OWNER_LABEL is never touched. */
export const OWNER_LABEL = "anyrunner.owner";
export const OWNER = "embedded";
/** The executor that made a container: a random id. */
export const SESSION_LABEL = "anyrunner.session";
/** The process of that executor, as `processLabel` writes it. */
export const PROCESS_LABEL = "anyrunner.process";
/** What a snapshot is named by. */
export const DIGEST_LABEL = "anyrunner.digest";
/** Empty directories in a snapshot that only exist because something was mounted there. */
export const MOUNT_POINTS_LABEL = "anyrunner.mount-points";

/** The repository name of all snapshots. */
export const SNAPSHOT_REPOSITORY = "anyrunner-embedded";
