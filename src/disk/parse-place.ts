import * as fs from "node:fs";
import { Failure } from "../base/index.ts";
import type { Place } from "./place.ts";

export interface PlaceRules {
  /** Whether this is the name of a file or device, not of a folder. */
  readonly isImage: (path: string) => boolean;
  /** `C:\big` and `C:/big` begin with a drive, not with an image called `C`. */
  readonly hasDrives: boolean;
}

const systemRules: PlaceRules = { isImage, hasDrives: process.platform === "win32" };

/**
 * A place in an image: `IMAGE`, `IMAGE:/path` (its only or its root file system), `IMAGE:N` and `IMAGE:N/path`
 * (partition N); `IMAGE:` is `IMAGE:/`.
 *
 * A word can be divided at each `:` that is followed by optional digits and then `/` or the end. Where there
 * are several such colons, or an image has one in its name, the longest image that is there is meant (so
 * `./a:1` is the file `a:1` if there is one, and else partition 1 of `a`); where none is there, the first colon
 * divides. Throws a `usage` failure on an empty image and on partition 0.
 */
export function parsePlace(text: string, rules: PlaceRules = systemRules): Place {
  const divided = placesIn(text, rules);
  const longestFirst = [{ image: text }, ...divided.toReversed()];
  const place = divided.length === 0 ? { image: text } : longestFirst.find(({ image }) => rules.isImage(image));
  const chosen = place ?? divided[0] ?? { image: text };
  if (chosen.image === "") {
    throw new Failure("usage", `cannot understand the place "${text}": it names no image`, { hint: placeHint });
  }
  if (chosen.partition === 0) {
    throw new Failure("usage", `cannot understand the place "${text}": partitions are numbered from 1`, {
      hint: placeHint,
    });
  }
  return chosen;
}

const placeHint = "write IMAGE:/path or, for partition 2, IMAGE:2/path";

/** Every way to divide a word, the shortest image first. */
function placesIn(text: string, rules: PlaceRules): Place[] {
  const places: Place[] = [];
  for (const match of text.matchAll(/:(\d*)(?=\/|$)/g)) {
    if (rules.hasDrives && match.index === 1 && /^[a-z]:[/\\]/i.test(text)) continue;
    const [colon, digits = ""] = match;
    const path = text.slice(match.index + colon.length);
    const number = digits === "" ? undefined : Number(digits);
    places.push({
      image: text.slice(0, match.index),
      ...(number === undefined ? {} : { partition: number }),
      ...(path === "" && number !== undefined ? {} : { path: path === "" ? "/" : path }),
    });
  }
  return places;
}

function isImage(path: string): boolean {
  try {
    return !fs.statSync(path).isDirectory();
  } catch {
    return false; // opening it will say why
  }
}
