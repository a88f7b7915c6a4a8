export { appendToMbox, lineEndAtEnd, type AppendToMboxOptions } from "./append.ts";
export { append, lockToChange } from "./change.ts";
export { formatFromLine } from "./from-line.ts";
export type { LockedMbox } from "./lock.ts";
export { parseHeaderBlock } from "./metadata.ts";
export { openMbox, type MboxLocation, type MboxOptions } from "./open-mbox.ts";
