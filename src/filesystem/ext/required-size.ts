import { Failure } from "../../base/index.ts";
import { smallestSize } from "../smallest-size.ts";
import { planGeometry, type ExtGeometry } from "./geometry.ts";
import { decideProfile, type ExtOptions } from "./profile.ts";

/** Room for what comes out a little differently in another size: extents broken at other places. */
const spareBlocks = 16;

/** What the files of a tree take: all blocks but the file system's own structures and the journal. */
export interface Need {
  readonly blocks: number;
  readonly inodes: number;
}

/** The smallest whole number of MiB in which a file system made with these options has room for a need. */
export function requiredSize(options: ExtOptions, need: Need): number {
  const holds = (sizeBytes: number): boolean => {
    const geometry = geometryFor(options, sizeBytes);
    if (geometry === undefined) return false;
    const blocks = need.blocks + geometry.journalBlocks;
    return geometry.freeBlocks >= blocks + spareBlocks + geometry.groupCount && geometry.inodeCount >= need.inodes;
  };
  return smallestSize(options.kind, holds);
}

function geometryFor(options: ExtOptions, sizeBytes: number): ExtGeometry | undefined {
  try {
    return planGeometry(decideProfile(options, sizeBytes), sizeBytes);
  } catch (error) {
    if (error instanceof Failure && error.code === "no-space") return undefined;
    throw error;
  }
}
