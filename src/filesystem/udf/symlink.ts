import { damaged } from "../damaged.ts";
import { readWhole } from "./extents.ts";
import type { UdfFile } from "./file-entry.ts";
import { pathComponent } from "./records.ts";
import { decodeText, pathName } from "./text.ts";
import type { UdfSource } from "./udf-source.ts";

/** Room for the components of the longest target that Linux follows. */
const linkLimitBytes = 16 * 1024;
const targetLimitBytes = 4096;

/** Types of components (ECMA-167 4/14.16.1.1). */
const rootOfMedium = 1;
const root = 2;
const parent = 3;
const current = 4;
const named = 5;

/** The target of a symbolic link, from its path components. */
export async function readTarget(source: UdfSource, file: UdfFile, what: string): Promise<string> {
  const bytes = await readWhole(source, file, { limitBytes: linkLimitBytes, what });
  const names: string[] = [];
  let isAbsolute = false;
  for (let at = 0; at + pathComponent.sizeBytes <= bytes.length;) {
    const { type, nameBytes } = pathComponent.decode(bytes, at);
    const end = at + pathComponent.sizeBytes + nameBytes;
    if (end > bytes.length) throw damaged(what, "a component of it is too long");
    if (type === root || type === rootOfMedium) {
      names.length = 0;
      isAbsolute = true;
    } else if (type === parent) names.push("..");
    else if (type === current) names.push(".");
    else if (type === named) names.push(pathName(decodeText(bytes.subarray(end - nameBytes, end)) ?? ""));
    else throw damaged(what, `a component of it is of type ${type}`);
    at = end;
  }
  const target = (isAbsolute ? "/" : "") + names.join("/");
  if (target !== "" && Buffer.byteLength(target) < targetLimitBytes) return target;
  throw damaged(what, `a target of ${Buffer.byteLength(target)} bytes cannot be`);
}
