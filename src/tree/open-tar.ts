import * as fs from "node:fs";
import type { AccountLookup } from "./acl-text.ts";
import { decompress } from "./decompress.ts";
import type { TreeSource } from "./entry.ts";
import { type ChunkSource, openChunks, standardInput } from "./file-chunks.ts";
import { TarReader } from "./tar-reader.ts";

/** Opens a tar, plain or compressed (by its first bytes), from a file or, for `-`, from standard input. */
export async function openTar(path: string): Promise<TreeSource> {
  const source = await openChunks(path);
  return tarOver(source, path === standardInput ? "standard input" : path);
}

/** The tar that the source holds; the source is closed with it. */
export async function tarOver(source: ChunkSource, name: string): Promise<TreeSource> {
  try {
    const { format, chunks } = await decompress(source.chunks, name);
    const isPlain = format === "plain" && source.sizeBytes !== undefined;
    return new TarReader(chunks, {
      name,
      idOf: accountsOfThisComputer(),
      close: async () => source[Symbol.asyncDispose](),
      ...(isPlain ? { totalBytes: source.sizeBytes } : {}),
    });
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

/** Looks names up in this computer's lists, which are read when the first name comes. */
function accountsOfThisComputer(): AccountLookup {
  const lists = new Map<string, Map<string, number>>();
  return (kind, name) => {
    const file = kind === "user" ? "/etc/passwd" : "/etc/group";
    let list = lists.get(file);
    if (list === undefined) lists.set(file, (list = readAccounts(file)));
    return list.get(name);
  };
}

/** Name and number are the first and third field of a line (passwd(5), group(5)). */
function readAccounts(file: string): Map<string, number> {
  if (!fs.existsSync(file)) return new Map();
  const lines = fs.readFileSync(file, "utf8").split("\n");
  return new Map(
    lines.map((line) => {
      const [name = "", , id = ""] = line.split(":");
      return [name, Number(id)];
    }),
  );
}
