import { Failure } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import type { BlockIdentity } from "../../device/index.ts";
import { refuseUnwritable } from "../device-in-use.ts";

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

/** What a user has to type, or give, so that it is this device and no other that is written. */
export interface Confirmation {
  readonly word: string;
  readonly what: "serial number" | "file" | "model" | "size";
}

export function confirmationOf({ serial, transport, model, sizeBytes }: BlockIdentity): Confirmation {
  if (serial !== undefined) return { word: serial, what: transport === "loop" ? "file" : "serial number" };
  if (model !== "") return { word: model, what: "model" };
  return { word: String(sizeBytes), what: "size" };
}

/** Throws `refused` where what a user gave, or did not, does not name this device. */
export function refuseUnconfirmed(device: BlockIdentity, given: string | undefined): void {
  const action = `cannot write onto "${device.path}"`;
  const { word, what } = confirmationOf(device);
  if (!device.isRemovable && what !== "serial number" && what !== "file") {
    throw new Failure("refused", `${action}: it is not removable, and has no serial number to be named by`, {
      hint: "use a stick or a card that says that it is removable",
    });
  }
  if (given === undefined) {
    const why = device.isRemovable ? "nobody confirmed that it is the right one" : "it is not removable";
    throw new Failure("refused", `${action}: ${why}`, {
      hint: `look at it with --dry-run; if it is the right one, give its ${what} with --confirm`,
    });
  }
  if (given.trim() === word) return;
  throw new Failure("refused", `${action}: its ${what} is "${word}", not "${given.trim()}"`, {
    hint: "is it the right device? --dry-run shows what is on it",
  });
}
