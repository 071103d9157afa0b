// The conformance suite for drivers.
export { testDriver } from "./conformance/test-driver.ts";
export type { ConformanceTarget, DriverSuite } from "./conformance/driver-suite.ts";
export { CONFORMANCE_PEER_SCRIPT, serveConformancePeer } from "./conformance/conformance-peer.ts";
export { startConformanceServer, type ConformanceServer } from "./conformance/conformance-server.ts";

// Nothing left behind.
export { describeLeaks, expectNothingLeft, takeInventory, type Inventory } from "./leak-check.ts";

// Images for tests, made without a registry.
export { makeBusyboxRootfs, type BusyboxRootfsOptions } from "./images/busybox-rootfs.ts";
export { CONFORMANCE_IMAGE_LOG, ensureBusyboxImage, ensureConformanceImage, type TestImageOptions } from "./images/test-image.ts";
