import { readBytes, type BlockReader } from "../../device/index.ts";
import type { Refusal } from "./boot-entry.ts";

/** Formats that hold what could be started, by what is at their start. */
const packed: readonly { readonly magic: RegExp; readonly format: string; readonly hint: string }[] = [
  { magic: /^1f8b/, format: "compressed by gzip", hint: "unpack it with gunzip, and add what comes out" },
  { magic: /^fd377a585a00/, format: "compressed by xz", hint: "unpack it with unxz, and add what comes out" },
  { magic: /^28b52ffd/, format: "compressed by zstd", hint: "unpack it with unzstd, and add what comes out" },
  { magic: /^425a68/, format: "compressed by bzip2", hint: "unpack it with bunzip2, and add what comes out" },
  { magic: /^504b0304/, format: "a zip archive", hint: "unpack it, and add the ISO or image that is in it" },
  { magic: /^377abcaf271c/, format: "a 7z archive", hint: "unpack it, and add the ISO or image that is in it" },
  { magic: /^526172211a07/, format: "a rar archive", hint: "unpack it, and add the ISO or image that is in it" },
  {
    magic: /^514649fb/,
    format: "a disk of virtual machines (qcow2)",
    hint: "qemu-img convert -O raw makes an image of it",
  },
  {
    magic: /^4b444d56/,
    format: "a disk of virtual machines (VMDK)",
    hint: "qemu-img convert -O raw makes an image of it",
  },
  { magic: /^4d5357494d000000/, format: "an archive of Windows (WIM)", hint: "add the ISO that it is from" },
];
const magicBytes = 8;

/** Why a key cannot start a file in which nothing was recognised. */
export async function whyNotStartable(reader: BlockReader): Promise<Refusal> {
  const start = await readBytes(reader, 0, Math.min(magicBytes, reader.sizeBytes));
  const hex = Buffer.from(start).toString("hex");
  const found = packed.find(({ magic }) => magic.test(hex));
  if (found === undefined) {
    return {
      reason: "there is no ISO 9660 or UDF in it, and it is no kernel, program for UEFI, or image that a BIOS starts",
      hint: "is it the right file, and whole?",
    };
  }
  return { reason: `it is ${found.format}, which has to be unpacked to be started`, hint: found.hint };
}
