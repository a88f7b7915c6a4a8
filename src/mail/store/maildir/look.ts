import * as fs from "node:fs";
import { isSystemError } from "../../../base/index.ts";
import { baseOf } from "./file-name.ts";

/** What is in `new` and `cur` of a mailbox. */
export interface Look {
  /** From base name to place: `cur/NAME`. */
  readonly places: Map<string, string>;
  /** A base name that two files had. */
  readonly twice: readonly (readonly [place: string, other: string])[];
  /** Whether files were moved to `cur`. */
  readonly hasMoved: boolean;
  /** Whether there are some left in `new`. */
  readonly hasNew: boolean;
}

/** When the folders were changed last, in words that are compared. */
export interface FolderTimes {
  readonly text: string;
  readonly latestMs: number;
}

export function folderTimes(folder: string): FolderTimes {
  const [now, cur] = [fs.statSync(`${folder}/new`).mtimeMs, fs.statSync(`${folder}/cur`).mtimeMs];
  return { text: `${now} ${cur}`, latestMs: Math.max(now, cur) };
}

/** Moves what is in `new` to `cur` where asked to. What others move meanwhile is seen in `cur`. */
export function lookInto(folder: string, isMoving: boolean): Look {
  const places = new Map<string, string>();
  const twice: (readonly [string, string])[] = [];
  const take = (place: string, base: string): void => {
    const other = places.get(base);
    if (other !== undefined) twice.push([other, place]);
    places.set(base, place);
  };
  let hasMoved = false;
  for (const name of fs.readdirSync(`${folder}/new`)) {
    if (!isMessage(name)) continue;
    if (isMoving && moved(folder, name)) hasMoved = true;
    else take(`new/${name}`, baseOf(name));
  }
  const hasNew = places.size > 0;
  for (const name of fs.readdirSync(`${folder}/cur`)) {
    if (isMessage(name)) take(`cur/${name}`, baseOf(name));
  }
  return { places, twice, hasMoved, hasNew };
}

/** True where it is no longer in `new`. */
function moved(folder: string, name: string): boolean {
  const target = name.includes(":2,") ? name : `${baseOf(name)}:2,`;
  try {
    fs.renameSync(`${folder}/new/${name}`, `${folder}/cur/${target}`);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return true;
    // No space, or not ours to change: it can be read where it is.
    if (isSystemError(error, "ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS")) return false;
    throw error;
  }
}

/** Others have files there too, whose names begin with a dot; a line end would break the list of UIDs. */
function isMessage(name: string): boolean {
  return !name.startsWith(".") && !name.startsWith(":") && !/[\r\n]/.test(name);
}
