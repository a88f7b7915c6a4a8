import { Failure } from "../base/index.ts";
import { type ArMember, arContent, skipArContent, takeArMagic, takeArMember } from "./ar.ts";
import { ChunkCursor } from "./chunk-cursor.ts";
import type { TreeSource } from "./entry.ts";
import { type ChunkSource, openChunks, standardInput } from "./file-chunks.ts";
import { tarOver } from "./open-tar.ts";

/** Opens the files of a Debian package (deb(5)): its `data.tar`, however compressed. `-` is standard input. */
export async function openDeb(path: string): Promise<TreeSource> {
  const name = path === standardInput ? "standard input" : path;
  const source = await openChunks(path);
  const cursor = new ChunkCursor(source.chunks);
  try {
    const member = await findData(cursor);
    const chunks: ChunkSource = {
      chunks: arContent(cursor, member),
      async [Symbol.asyncDispose]() {
        await cursor.close();
        await source[Symbol.asyncDispose]();
      },
    };
    return await tarOver(chunks, name);
  } catch (error) {
    await cursor.close();
    await source[Symbol.asyncDispose]();
    if (!(error instanceof Failure) || error.message.startsWith("cannot ")) throw error;
    throw new Failure(error.code, `cannot read "${name}": ${error.message}`, { cause: error });
  }
}

async function findData(cursor: ChunkCursor): Promise<ArMember> {
  if (!(await takeArMagic(cursor))) throw new Failure("damaged", "it is not a Debian package");
  const first = await takeArMember(cursor);
  if (first?.name !== "debian-binary") throw new Failure("damaged", "it is an ar archive, but not a Debian package");
  for (let member: ArMember | undefined = first; member !== undefined; member = await takeArMember(cursor)) {
    if (/^data\.tar(\.\w+)?$/.test(member.name)) return member;
    await skipArContent(cursor, member);
  }
  throw new Failure("damaged", "it is a Debian package without its files");
}
