import type { StoreAccess } from "./access.ts";
import type { BackupStore } from "./backup-store.ts";
import { LocalStore } from "./local-store.ts";
import { placeInImage } from "./place-in-image.ts";
import { parseRemotePlace, type RemotePlace } from "./place.ts";

/** Opens the folder that a word names. It need not be there before something is written to it. */
export async function openStore(word: string, access: StoreAccess): Promise<BackupStore> {
  const place = parseRemotePlace(word);
  const store = await (place === undefined ? openHere(word, access) : openThere(place, access));
  return access.through?.(store) ?? store;
}

async function openThere(place: RemotePlace, access: StoreAccess): Promise<BackupStore> {
  const { RetryingStore } = await import("./retrying-store.ts");
  return new RetryingStore(await openRemote(place, access));
}

/** A folder, or one in an image where such is named: the words are those of `disk put`. */
async function openHere(word: string, { nowMs = 0 }: StoreAccess): Promise<BackupStore> {
  const inImage = placeInImage(word);
  if (inImage === undefined) return new LocalStore(word);
  const { ImageStore } = await import("./image/index.ts");
  return new ImageStore(word, inImage, nowMs);
}

async function openRemote(place: RemotePlace, access: StoreAccess): Promise<BackupStore> {
  if (place.scheme === "s3") {
    const { S3Store } = await import("./s3/index.ts");
    return new S3Store(place, access);
  }
  if (place.scheme === "smb") {
    const { SmbStore } = await import("./smb/index.ts");
    return new SmbStore(place, access);
  }
  const { SftpStore } = await import("./sftp/index.ts");
  return new SftpStore(place, access);
}
