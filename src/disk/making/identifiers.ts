import { createHash, randomUUID } from "node:crypto";

/** A maker of UUIDs: random, or with a seed always the same ones in the same order. */
export function uuidMaker(seed: string | undefined): () => string {
  if (seed === undefined) return randomUUID;
  let count = 0;
  return () => {
    const bytes = createHash("sha256").update(`holdfast identifier ${count++} of ${seed.toLowerCase()}`).digest();
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6); // RFC 9562: version 8, made in a way of one's own
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    return bytes.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
}
