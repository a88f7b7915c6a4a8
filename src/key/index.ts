export { addIsos, type AddedIso } from "./add-isos.ts";
export { createKey } from "./create-key.ts";
export { listKey, type KeyFile, type KeyReport } from "./list-key.ts";
export { algorithmTitle, howToGive, type Evidence, type IsoVerification } from "./verify/index.ts";
export { removeIsos } from "./remove-isos.ts";
export { runKey } from "./run-key.ts";
export { isDevice } from "./open-key.ts";
export { createKeyOnDevice, writeKey, type KeyOnDevice, type KeyWritePlan, type WrittenKey } from "./write/index.ts";
export { choiceCount } from "./machines.ts";
