export { makeSystem, type MadeSystem, type SystemRequest } from "./make-system.ts";
export type { SystemSettings } from "./system-files.ts";
