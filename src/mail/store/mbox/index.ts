export { appendToMbox, type AppendToMboxOptions } from "./append.ts";
export { openMbox, type MboxLocation, type MboxOptions } from "./open-mbox.ts";
