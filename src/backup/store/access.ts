import type { BackupStore } from "./backup-store.ts";

/** How stores that are elsewhere are reached. */
export interface StoreAccess {
  /** Where settings, keys of an account and programs are looked for. */
  readonly env: NodeJS.ProcessEnv;
  /** Stands between a store and what uses it. */
  readonly through?: (store: BackupStore) => BackupStore;
  /** The time that new files in images are given. */
  readonly nowMs?: number;
  /** A private key for SFTP; else the agent's and the usual ones are tried. */
  readonly identity?: string;
  /** The fingerprint (`SHA256:…`) of a host that is not known yet and is trusted this time. */
  readonly acceptHost?: string;
  /** S3: where the store is, as `https://host`, and its region; else as AWS's programs are told. */
  readonly endpoint?: string;
  readonly region?: string;
  /** The password, where the user has given one; with a question the user may be asked it. */
  readonly password?: (question?: string) => Promise<string | undefined>;
}
