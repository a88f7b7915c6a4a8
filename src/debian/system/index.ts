export { configuredText } from "./first-boot.ts";
export { makeSystem, type MadeSystem } from "./make-system.ts";
