import * as fs from "node:fs";
import { Failure, systemReason } from "../base/index.ts";
import { openDeb } from "./deb.ts";
import type { TreeSource } from "./entry.ts";
import { FolderSource } from "./folder-source.ts";
import { systemPath } from "./folder-scan.ts";
import { openTar } from "./open-tar.ts";

export interface OpenSourceOptions {
  /** Files that are not part of a folder's tree though they lie in it, such as the one being written. */
  readonly leaveOut?: readonly string[];
}

/** A tree from what a user names: a folder, a tar (plain or compressed), a Debian package, or `-` for a tar on standard input. */
export async function openSource(source: string, options: OpenSourceOptions = {}): Promise<TreeSource> {
  if (source === "-") return openTar(source);
  const stat = statOf(source);
  if (stat.isDirectory()) return FolderSource.open(source, options);
  return source.endsWith(".deb") ? openDeb(source) : openTar(source);
}

function statOf(source: string): fs.Stats {
  try {
    return fs.statSync(systemPath(source));
  } catch (error) {
    throw new Failure("not-found", `cannot read "${source}": ${systemReason(error)}`, { cause: error });
  }
}

/** One file of this machine, links followed, as a tree that is only its root: the path of its entry is empty. */
export function openFile(path: string): TreeSource {
  return FolderSource.openFile(path);
}
