import { array, ascii, bytes, Struct, u16be, u32be } from "../../bytes/index.ts";
import { Remarks, type Recognised } from "./recognised.ts";

const sectorBytes = 512;
const enabledSlot = 0x00ac71f3;
const disabledSlot = 0x0000dead;

/** LUKS On-Disk Format Specification 1.2.3, figure 2. */
export const luks1Header = new Struct("LUKS1 header", 592, {
  magic: [0, ascii(6)],
  version: [6, u16be],
  cipherName: [8, ascii(32)],
  cipherMode: [40, ascii(32)],
  hashSpec: [72, ascii(32)],
  payloadSector: [104, u32be],
  keyBytes: [108, u32be],
  digest: [112, bytes(20)],
  digestSalt: [132, bytes(32)],
  digestIterations: [164, u32be],
  uuid: [168, ascii(40)],
  keySlots: [208, array(bytes(48), 8)],
});

/** The same, figure 4. */
export const luks1KeySlot = new Struct("LUKS1 key slot", 48, {
  state: [0, u32be],
  iterations: [4, u32be],
  salt: [8, bytes(32)],
  materialSector: [40, u32be],
  stripes: [44, u32be],
});

/** What a LUKS1 header says. It has no checksum and no second copy. */
export function describeLuks1(start: Uint8Array, deviceBytes: number): Recognised {
  const remarks = new Remarks();
  const header = luks1Header.decode(start);
  const payloadAt = header.payloadSector * sectorBytes;
  const isWithin = payloadAt <= deviceBytes;
  if (!isWithin) remarks.error(`the data of LUKS begins at byte ${payloadAt}, its device ends at ${deviceBytes}`);
  const slots = header.keySlots.map((slot) => luks1KeySlot.decode(slot));
  const enabled = slots.filter(({ state }) => state === enabledSlot);
  const unknown = slots.filter(({ state }) => state !== enabledSlot && state !== disabledSlot);
  if (unknown.length > 0) remarks.error(`${unknown.length} of the 8 LUKS key slots are neither in use nor free`);
  if (enabled.length === 0) remarks.warn("no LUKS key slot is in use: nobody can open it");
  // A header kept apart from its data has a payload at 0.
  const misplaced = enabled.filter(({ materialSector }) => payloadAt > 0 && materialSector * sectorBytes >= payloadAt);
  if (misplaced.length > 0) remarks.error(`${misplaced.length} LUKS key slots are not before the data`);
  const cipher = `${header.cipherName}-${header.cipherMode}`;
  const usedBytes = isWithin ? deviceBytes - payloadAt : undefined;
  return {
    kind: "luks",
    label: "",
    uuid: header.uuid === "" ? undefined : header.uuid,
    sizeBytes: deviceBytes,
    blockSizeBytes: sectorBytes,
    usedBytes,
    freeBytes: usedBytes === undefined ? undefined : 0,
    features: ["luks1", cipher],
    notes: [`LUKS1, ${cipher}, ${header.hashSpec}, ${header.keyBytes * 8} bits, key slots in use: ${enabled.length}`],
    problems: remarks.problems,
  };
}
