export { appendToMbox, type AppendToMboxOptions } from "./append.ts";
