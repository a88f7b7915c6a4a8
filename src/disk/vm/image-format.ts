import { readBytes, type BlockReader } from "../../device/index.ts";

/** Formats of disk images, by the names that QEMU gives them. */
export type ImageFormat = "raw" | "qcow" | "qcow2" | "vmdk" | "vdi" | "vhdx" | "vpc";

const headBytes = 512;
const vdiSignature = 0xbeda107f;
const vdiSignatureAt = 0x40;

/** The format of an image by its first bytes; whatever has no signature is a raw disk. */
export async function identifyImage(reader: BlockReader): Promise<ImageFormat> {
  const head = Buffer.alloc(headBytes);
  (await readBytes(reader, 0, Math.min(headBytes, reader.sizeBytes))).forEach((byte, at) => (head[at] = byte));
  const begins = (signature: string): boolean => head.toString("latin1", 0, signature.length) === signature;
  if (begins("QFI\xfb")) return head.readUInt32BE(4) === 1 ? "qcow" : "qcow2";
  if (begins("KDMV") || begins("# Disk DescriptorFile")) return "vmdk";
  if (head.readUInt32LE(vdiSignatureAt) === vdiSignature) return "vdi";
  if (begins("vhdxfile")) return "vhdx";
  return begins("conectix") ? "vpc" : "raw";
}
