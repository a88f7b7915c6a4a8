import * as fs from "node:fs";
import { Failure } from "../../base/index.ts";
import { parsePlace, type Place } from "../../disk/index.ts";

/** The place in an image that a word names; undefined where it names a file or folder of this machine. */
export function placeInImage(word: string): Place | undefined {
  if (fs.existsSync(word)) return undefined;
  const place = parsePlace(word);
  if (place.image === word) return undefined;
  const stat = fs.statSync(place.image, { throwIfNoEntry: false });
  return stat?.isFile() === true || stat?.isBlockDevice() === true ? place : undefined;
}

/** A backup that is written into the image that it is made of would change what it saves. */
export function refuseItself(source: string, into: string): void {
  const place = placeInImage(into);
  const [one, other] = [place?.image, source].map((file) => {
    return file === undefined ? undefined : fs.statSync(file, { bigint: true, throwIfNoEntry: false });
  });
  if (one === undefined || other === undefined || one.ino !== other.ino || one.dev !== other.dev) return;
  throw new Failure("refused", `cannot save "${source}" into itself`, { hint: "name another image, or a folder" });
}
