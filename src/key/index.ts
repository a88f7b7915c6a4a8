export { addIsos, type AddedIso } from "./add-isos.ts";
export {
  checkKey,
  type CheckedFile,
  type CheckKeyRequest,
  type FileVerdict,
  type KeyCheckReport,
  type KeyFinding,
} from "./check/index.ts";
export { createKey } from "./create-key.ts";
export { hasStarted } from "./entry-test.ts";
export { kernelWords, type KernelParts } from "./kernel-parts.ts";
export { listKey, type KeyFile, type KeyReport } from "./list-key.ts";
export { algorithmTitle, howToGive, type Evidence, type IsoVerification } from "./verify/index.ts";
export { removeIsos } from "./remove-isos.ts";
export { runKey } from "./run-key.ts";
export { testKey, type Trial, type TriedEntry } from "./testing/index.ts";
export { isDevice } from "./open-key.ts";
export { createKeyOnDevice, writeKey, type KeyOnDevice, type KeyWritePlan, type WrittenKey } from "./write/index.ts";
export { choiceCount } from "./machines.ts";
