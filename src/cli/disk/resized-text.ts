import { formatSize } from "../../bytes/index.ts";
import type { ResizedDisk } from "../../disk/index.ts";

/** What became of each part of a disk, a line each. */
export function resizedLines({ file, partition, fileSystem }: ResizedDisk): string[] {
  return [
    lineOf("file", file),
    ...(partition === undefined ? [] : [lineOf(`partition ${partition.number}`, partition)]),
    lineOf(fileSystem.kind, fileSystem),
  ];
}

function lineOf(what: string, size: { readonly beforeBytes: number; readonly afterBytes: number }): string {
  const { beforeBytes, afterBytes } = size;
  const after = `${formatSize(afterBytes)} (${afterBytes} bytes)`;
  return beforeBytes === afterBytes ? `${what}: ${after}, as before` : `${what}: ${formatSize(beforeBytes)} → ${after}`;
}
