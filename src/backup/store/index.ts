export {
  nameIn,
  pathIn,
  unfinishedEnding,
  type BackupStore,
  type StoredItem,
  type StoreWriter,
} from "./backup-store.ts";
export type { StoreAccess } from "./access.ts";
export { openStore } from "./open-store.ts";
export { placeInImage, refuseItself } from "./place-in-image.ts";
export { readChunks } from "./read-chunks.ts";
export { SubStore } from "./sub-store.ts";
export { WrappedStore } from "./wrapped-store.ts";
