export { createAttachables, type Attachables, type AttachableSettings } from "./create-attachables.ts";
