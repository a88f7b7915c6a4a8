import { Failure } from "../base/index.ts";
import type { Place } from "../disk/index.ts";
import { parsePlace } from "./place.ts";

/** A place with a path. */
export interface FilePlace extends Place {
  readonly path: string;
}

/** Understands `IMAGE:/path`; the path must be there. */
export function parseFilePlace(text: string): FilePlace {
  return placeOfFile(text, parsePlace(text));
}

/** The place that a text names, whose path must be there. */
export function placeOfFile(text: string, { path, ...place }: Place): FilePlace {
  if (path !== undefined) return { ...place, path };
  throw new Failure("usage", `cannot read "${text}": it names no file in the image`, {
    hint: `write the path after a colon, as in ${place.image}:/etc/fstab`,
  });
}

/** The paths of several places that are to be in one file system, and which that is. Throws `usage` for several. */
export function inOneFileSystem(places: readonly FilePlace[]): { readonly place: Place; readonly paths: string[] } {
  const [first, ...others] = places;
  if (first === undefined) throw new Failure("usage", "cannot change anything: no place is named");
  for (const { image, partition } of others) {
    if (image === first.image && partition === first.partition) continue;
    throw new Failure("usage", "cannot change several file systems as one", {
      hint: "name places of one partition; get and put move files between two",
    });
  }
  return { place: first, paths: places.map(({ path }) => path) };
}
