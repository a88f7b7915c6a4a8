import { Failure } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { refuseUnwritable, type BlockIdentity } from "../../device/index.ts";

const sectorBytes = 512;

/** What is written onto a device: an image, or a key that is only made for it and has no path. */
export interface KeySource {
  readonly path?: string;
  readonly sizeBytes: number;
}

/** Throws `refused` where a key must not be written onto a device, or cannot be. */
export function refuseDevice(device: BlockIdentity, source: KeySource): void {
  const { path, sizeBytes } = source;
  const action = path === undefined ? `make a key of "${device.path}"` : `write "${path}" onto "${device.path}"`;
  refuseUnwritable(device, action);
  const refuse = (why: string, hint: string): Failure => new Failure("refused", `cannot ${action}: ${why}`, { hint });
  if (device.sectorSizeBytes !== sectorBytes) {
    throw refuse(
      `it has sectors of ${device.sectorSizeBytes} bytes, the tables of a key count in ${sectorBytes}`,
      "use another one: nearly all sticks and cards have sectors of 512 bytes",
    );
  }
  if (device.sizeBytes < sizeBytes) {
    const [has, needed] = [device.sizeBytes, sizeBytes].map((bytes) => `${formatSize(bytes)} (${bytes} bytes)`);
    throw refuse(
      `it has ${has}, the key needs ${needed}`,
      path === undefined ? "use a larger one" : "make the key with --size auto: such a one grows to fill any stick",
    );
  }
  if (device.transport === "loop" && path !== undefined && device.serial === path) {
    throw refuse("it is the image itself", "name another device");
  }
}
