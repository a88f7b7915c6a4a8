import type { StoreAccess } from "./access.ts";
import type { BackupStore } from "./backup-store.ts";
import { LocalStore } from "./local-store.ts";
import { parseRemotePlace, type RemotePlace } from "./place.ts";

/** Opens the folder that a word names. It need not be there before something is written to it. */
export async function openStore(word: string, access: StoreAccess): Promise<BackupStore> {
  const place = parseRemotePlace(word);
  if (place === undefined) return new LocalStore(word);
  const { RetryingStore } = await import("./retrying-store.ts");
  return new RetryingStore(await openRemote(place, access));
}

async function openRemote(place: RemotePlace, access: StoreAccess): Promise<BackupStore> {
  if (place.scheme === "s3") {
    const { S3Store } = await import("./s3/index.ts");
    return new S3Store(place, access);
  }
  const { SftpStore } = await import("./sftp/index.ts");
  return new SftpStore(place, access);
}
