import assert from "node:assert/strict";
import * as fs from "node:fs";
import { checkBackup, listBackups, openBackup, restoreBackup, type StoreAccess } from "../../../src/backup/index.ts";
import { readFile } from "../../../src/disk/index.ts";
import type { TemporaryFolder } from "../../temp.ts";
import { save } from "../sample-disk.ts";

export interface BackupAt {
  /** Where the folder of backups is. */
  readonly home: string;
  /** A disk of `sampleDisk` in `folder`. */
  readonly disk: string;
  readonly folder: TemporaryFolder;
  readonly access: StoreAccess;
  readonly volumeBytes: number;
  /** The same backup by another way; else one of this machine is made. */
  readonly same?: string;
}

/** Saves a disk in a place, lists it, takes a file out, checks it, and restores it as what is here is restored. */
export async function assertBackupAt({ home, disk, folder, access, volumeBytes, same }: BackupAt): Promise<void> {
  const saved = await save(disk, home, { ...access, volumeBytes });
  assert.equal(saved.path, `${home}/backup`);
  const [listed] = await listBackups(home, access);
  assert.deepEqual([listed?.name, listed?.isFinished, listed?.problems], ["backup", true, []]);
  const pieces: Uint8Array[] = [];
  const openImage = (name: string) => openBackup(name, access);
  for await (const piece of readFile({ image: saved.path, partition: 2, path: "/usr/noise" }, { openImage })) {
    pieces.push(Uint8Array.from(piece));
  }
  assert.ok(Buffer.concat(pieces).equals(fs.readFileSync(folder.join("tree", "usr", "noise"))));
  const onProblem = async ({ message }: { readonly message: string }): Promise<void> => assert.fail(message);
  assert.equal((await checkBackup(saved.path, { ...access, onProblem })).hasStructure, true);
  const here = same ?? (await save(disk, folder.join("here"))).path;
  const targets = [folder.join("from-there"), folder.join("from-here")] as const;
  await restoreBackup({ backup: saved.path, target: targets[0], force: false, ...access });
  await restoreBackup({ backup: here, target: targets[1], force: false, ...access });
  assert.ok(fs.readFileSync(targets[0]).equals(fs.readFileSync(targets[1])));
}
