import { Failure } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import type { BlockIdentity, DeviceUse } from "../../device/index.ts";

const sectorBytes = 512;

/** Throws `refused` where a key must not be written onto a device, or cannot be. */
export function refuseDevice(
  device: BlockIdentity,
  image: { readonly path: string; readonly sizeBytes: number },
): void {
  const refuse = (why: string, hint: string): Failure =>
    new Failure("refused", `cannot write "${image.path}" onto "${device.path}": ${why}`, { hint });
  const system = device.uses.find(({ isSystem }) => isSystem);
  if (system !== undefined) {
    throw refuse(
      `the system runs from it, ${system.device} is mounted on ${system.by}`,
      "name the stick's device; lsblk lists them",
    );
  }
  const [use] = device.uses;
  if (use !== undefined) throw refuse(useText(use), freeingHint(use));
  if (device.isReadOnly)
    throw refuse("it is read-only", "is there a switch on it that protects it from being written?");
  if (device.sectorSizeBytes !== sectorBytes) {
    throw refuse(
      `it has sectors of ${device.sectorSizeBytes} bytes, the tables of a key count in ${sectorBytes}`,
      "use another one: nearly all sticks and cards have sectors of 512 bytes",
    );
  }
  if (device.sizeBytes < image.sizeBytes) {
    const [has, needed] = [device.sizeBytes, image.sizeBytes].map((bytes) => `${formatSize(bytes)} (${bytes} bytes)`);
    throw refuse(
      `it has ${has}, the key needs ${needed}`,
      "make the key with --size auto: such a one grows to fill any stick",
    );
  }
  if (device.transport === "loop" && device.serial === image.path) {
    throw refuse("it is the image itself", "name another device");
  }
}

/** Who uses a device, as a sentence goes on. */
function useText({ kind, device, by }: DeviceUse): string {
  if (kind === "mount") return `${device} is mounted on ${by}`;
  if (kind === "swap") return `${device} is in use as swap`;
  return kind === "loop" ? `${by} is a loop device over ${device}` : `${device} is in use by ${by}`;
}

function freeingHint({ kind, device, by }: DeviceUse): string {
  if (kind === "mount") return `run: umount ${by}`;
  if (kind === "swap") return `run: swapoff /dev/${device}`;
  if (kind === "loop") return `run: losetup -d /dev/${by}`;
  return "an encrypted, LVM or RAID device stands on it: close or stop that first";
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
