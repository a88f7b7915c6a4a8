import { Failure } from "../../base/index.ts";
import { readBytes, type BlockDevice } from "../../device/index.ts";
import { readTable } from "../../partition/index.ts";
import { chainCode } from "./chain-code.ts";

const sectorBytes = 512;
const codeLimitBytes = 0x1b8; // disk signature and table follow

/**
 * Makes a disk start its active partition: code of our own goes into sector 0, whose disk signature and table stay. One
 * write, so that the disk starts as before or in the new way. True where that partition has a boot sector already.
 */
export async function installChain(device: BlockDevice): Promise<{ readonly hasBootSector: boolean }> {
  const table = await readTable(device);
  if (table?.kind !== "mbr") {
    const what = table === undefined ? "there is no partition table" : "a GPT has none";
    throw new Failure("unsupported", `cannot make a disk start its active partition: ${what}`, {
      hint: "an MBR has one: --table mbr",
    });
  }
  const active = table.partitions.filter((partition) => partition.active);
  const [partition] = active;
  if (partition === undefined || active.length > 1) {
    const count = active.length === 0 ? "none is" : `${active.length} are`;
    throw new Failure("unsupported", `cannot make a disk start its active partition: ${count}`, {
      hint: "write active in the --partition that is to start",
    });
  }
  const sector = await readBytes(device, 0, sectorBytes);
  sector.fill(0, 0, codeLimitBytes);
  sector.set(chainCode);
  await device.write(0, sector);
  await device.flush();
  const first = await readBytes(device, partition.startBytes, sectorBytes);
  return { hasBootSector: first[510] === 0x55 && first[511] === 0xaa };
}
