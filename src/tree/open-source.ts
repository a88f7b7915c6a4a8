import * as fs from "node:fs";
import { Failure, systemReason } from "../base/index.ts";
import type { TreeSource } from "./entry.ts";
import { FolderSource } from "./folder-source.ts";
import { systemPath } from "./folder-scan.ts";

export interface OpenSourceOptions {
  /** Files that are not part of a folder's tree though they lie in it, such as the one being written. */
  readonly leaveOut?: readonly string[];
}

/** A tree from what a user names: a folder, a tar (plain or compressed), a Debian package, or `-` for a tar on standard input. */
export async function openSource(source: string, options: OpenSourceOptions = {}): Promise<TreeSource> {
  if (source === "-") return openTarFile(source);
  const stat = statOf(source);
  if (stat.isDirectory()) return FolderSource.open(source, options);
  if (!source.endsWith(".deb")) return openTarFile(source);
  const { openDeb } = await import("./deb.ts");
  return openDeb(source);
}

/** What reads tars, and unpacks them, is loaded when there is one. */
async function openTarFile(source: string): Promise<TreeSource> {
  const { openTar } = await import("./open-tar.ts");
  return openTar(source);
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
