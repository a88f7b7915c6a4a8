import { Failure } from "../base/index.ts";
import { readBytes, type BlockDevice } from "../device/index.ts";
import { isVolumeBootSector } from "./boot-sector.ts";
import { gptHeader, gptSignature, primaryHeaderLba } from "./gpt-records.ts";
import { bootCodeBytes, masterBootRecord } from "./mbr-records.ts";
import type { TablePlan } from "./plan.ts";
import { writeGpt } from "./write-gpt.ts";
import { writeMbr } from "./write-mbr.ts";

/**
 * Writes a plan to the device it was made for and makes it durable. Boot code in sector 0 stays; a table of
 * the other kind goes. The sector that makes the new table count is written when all else is durable: a write
 * cut short leaves the old table or the new one.
 */
export async function writeTable(device: BlockDevice, plan: TablePlan): Promise<void> {
  if (device.sizeBytes !== plan.sizeBytes) {
    throw new Failure(
      "usage",
      `cannot write a table for ${plan.sizeBytes} bytes to a device of ${device.sizeBytes} bytes`,
    );
  }
  if (device.sizeBytes < masterBootRecord.sizeBytes) {
    throw new Failure("no-space", `cannot write a partition table to a device of ${device.sizeBytes} bytes`);
  }
  const sector = await readBytes(device, 0, masterBootRecord.sizeBytes);
  // What starts a file system is no boot code: left there, other programs would still see that file system.
  if (isVolumeBootSector(sector)) sector.fill(0, 0, bootCodeBytes);
  if (plan.kind === "gpt") {
    await writeGpt(device, plan, sector);
  } else {
    await writeMbr(device, plan, sector);
    await device.flush();
    await eraseGptHeaders(device);
  }
  await device.flush();
}

/** A GPT header left beside an MBR makes other programs ask which of the two is meant. */
async function eraseGptHeaders(device: BlockDevice): Promise<void> {
  const lastLba = Math.floor(device.sizeBytes / 512) - 1;
  for (const lba of [primaryHeaderLba, lastLba]) {
    if (lba < primaryHeaderLba || lba > lastLba) continue;
    const header = await readBytes(device, lba * 512, gptHeader.sizeBytes);
    if (gptHeader.get(header, "signature") === gptSignature) await device.write(lba * 512, new Uint8Array(512));
  }
}
