interface GapSignature {
  readonly program: string;
  readonly bytes: Buffer;
}

/** How programs begin the sectors before the first partition that they keep something in, as known to GRUB 2.06. */
const gapSignatures: readonly GapSignature[] = [
  { program: "ZISD", bytes: Buffer.from("ZISD") },
  { program: "FlexNet", bytes: Buffer.from("d441a0f503000300", "hex") },
  { program: "FlexNet", bytes: Buffer.from("d841a0f502000200", "hex") },
  { program: "HP Backup and Recovery Manager", bytes: Buffer.from("708a5d4635c51b93ae3d86fdb1553ee0", "hex") },
  { program: "a HighPoint RAID controller", bytes: Buffer.from("ycgl") },
  { program: "Acer's registration", bytes: Buffer.from("GREGRegDone.Tag\0") },
];

/** The program that a sector before the first partition belongs to, or undefined. */
export function ownerOfGapSector(sector: Uint8Array): string | undefined {
  return gapSignatures.find(({ bytes }) => bytes.equals(sector.subarray(0, bytes.length)))?.program;
}
