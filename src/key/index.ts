export { addIsos, type AddedIso } from "./add-isos.ts";
export { createKey } from "./create-key.ts";
export { kernelWords, type KernelParts } from "./kernel-parts.ts";
export { listKey, type KeyFile, type KeyReport } from "./list-key.ts";
export { removeIsos } from "./remove-isos.ts";
export { runKey } from "./run-key.ts";
export { hasStarted } from "./entry-test.ts";
export { testKey, type Trial, type TriedEntry } from "./testing/index.ts";
export { writeKey, type KeyWritePlan, type WrittenKey } from "./write/index.ts";
