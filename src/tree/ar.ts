import type * as fs from "node:fs/promises";
import { Failure } from "../base/index.ts";

/** One file in an ar archive: where its content is. */
export interface ArMember {
  readonly name: string;
  readonly at: number;
  readonly sizeBytes: number;
}

const magic = "!<arch>\n";
const headerBytes = 60;
const headerEnd = "`\n";
/** A Debian package has three or four members. */
const memberLimit = 1000;

/** The members of an ar archive in the common format of System V and BSD (deb(5)), names of up to 16 bytes. */
export async function listArchive(file: fs.FileHandle, name: string): Promise<ArMember[]> {
  const { size } = await file.stat();
  if ((await readText(file, 0, magic.length)) !== magic) throw damaged(name, "it is no ar archive");
  const members: ArMember[] = [];
  for (let at = magic.length; at < size;) {
    const header = await readText(file, at, headerBytes);
    const sizeText = header.slice(48, 58).trim();
    if (header.length < headerBytes || header.slice(58) !== headerEnd || !/^\d{1,10}$/.test(sizeText)) {
      throw damaged(name, `there is no member at byte ${at}, where one belongs`);
    }
    const member = {
      name: header.slice(0, 16).trim().replace(/\/$/, ""),
      at: at + headerBytes,
      sizeBytes: Number(sizeText),
    };
    if (member.at + member.sizeBytes > size) throw damaged(name, `its member "${member.name}" passes its end`);
    if (members.push(member) > memberLimit) throw damaged(name, `it has more than ${memberLimit} members`);
    at = member.at + member.sizeBytes + (member.sizeBytes % 2); // members begin at even places
  }
  return members;
}

async function readText(file: fs.FileHandle, at: number, lengthBytes: number): Promise<string> {
  const buffer = Buffer.alloc(lengthBytes);
  const { bytesRead } = await file.read(buffer, 0, lengthBytes, at);
  return buffer.toString("latin1", 0, bytesRead);
}

function damaged(name: string, why: string): Failure {
  return new Failure("damaged", `cannot read "${name}": ${why}`);
}
