export { createAttachables, type Attachables, type AttachableSettings } from "./create-attachables.ts";
export type { ImageOptions, ImageStore } from "./image-store.ts";
export type { ClientPipe } from "./pipe.ts";
export type { ClientPrompt, PromptQuestion } from "./prompt.ts";
export type { ClientTerminal } from "./terminal.ts";
