import { Failure } from "../base/index.ts";
import type { BlockReader } from "../device/index.ts";
import { openExt, probeExt } from "./ext/index.ts";
import type { FileSystem } from "./file-system.ts";

interface Family {
  readonly name: string;
  /** What it is called in messages. */
  readonly kinds: string;
  readonly probe: (reader: BlockReader) => Promise<boolean>;
  readonly open: (reader: BlockReader) => Promise<FileSystem>;
}

/** In the order in which they are asked. */
const families: readonly Family[] = [{ name: "ext", kinds: "ext2, ext3, ext4", probe: probeExt, open: openExt }];

/** The family of the file system that a device holds (`ext`), or undefined where none is known. */
export async function probe(reader: BlockReader): Promise<string | undefined> {
  return (await familyOf(reader))?.name;
}

/** Opens whatever file system a device holds. Throws `unsupported` where none is known. */
export async function openFileSystem(reader: BlockReader): Promise<FileSystem> {
  const family = await familyOf(reader);
  if (family !== undefined) return family.open(reader);
  throw new Failure("unsupported", "cannot find a file system: there is none that is known", {
    hint: `known are: ${families.map(({ kinds }) => kinds).join(", ")}`,
  });
}

async function familyOf(reader: BlockReader): Promise<Family | undefined> {
  for (const family of families) if (await family.probe(reader)) return family;
  return undefined;
}
