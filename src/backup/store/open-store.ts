import type { BackupStore } from "./backup-store.ts";
import { LocalStore } from "./local-store.ts";

/** How stores that are elsewhere are reached. */
export interface StoreAccess {
  /** Where settings and programs are looked for. */
  readonly env: NodeJS.ProcessEnv;
}

/** Opens the folder that a word names. It need not be there before something is written to it. */
export async function openStore(...[place]: readonly [place: string, access: StoreAccess]): Promise<BackupStore> {
  return new LocalStore(place);
}
