import { readBytes, type BlockReader } from "../../device/index.ts";

/** Where the recognition sequence begins, whatever the block size (ECMA-167 2/8.3). */
const recognitionAt = 32768;
const recognitionBytes = 64 * 2048;

/** Whether a device says that it is UDF and has an anchor that leads to its descriptors. */
export async function probeUdf(reader: BlockReader): Promise<boolean> {
  if (!(await isRecognised(reader))) return false;
  const { findAnchor } = await import("./anchor.ts");
  return (await findAnchor(reader)) !== undefined;
}

/** Whether the volume recognition sequence of a device names UDF (NSR02 or NSR03). */
async function isRecognised(reader: BlockReader): Promise<boolean> {
  const lengthBytes = Math.min(recognitionBytes, reader.sizeBytes - recognitionAt);
  if (lengthBytes < 2048) return false;
  const bytes = Buffer.from(await readBytes(reader, recognitionAt, lengthBytes));
  for (let at = 0; at + 6 <= bytes.length; at += 2048) {
    if (/^NSR0[23]$/.test(bytes.toString("latin1", at + 1, at + 6))) return true;
  }
  return false;
}
