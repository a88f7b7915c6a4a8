import { Failure } from "../base/index.ts";
import type { BlockIdentity } from "./block-identity.ts";

/** What a user has to type, or give, so that it is this device and no other that is written. */
export interface Confirmation {
  readonly word: string;
  readonly what: "serial number" | "file" | "volume" | "model" | "size";
}

export function confirmationOf({ serial, transport, model, sizeBytes }: BlockIdentity): Confirmation {
  const named = transport === "loop" ? "file" : transport === "lvm" ? "volume" : "serial number";
  if (serial !== undefined) return { word: serial, what: named };
  if (model !== "") return { word: model, what: "model" };
  return { word: String(sizeBytes), what: "size" };
}

/** Throws `refused` where what a user gave, or did not, does not name this device. */
export function refuseUnconfirmed(device: BlockIdentity, given: string | undefined): void {
  const action = `cannot write onto "${device.path}"`;
  const { word, what } = confirmationOf(device);
  if (!device.isRemovable && device.serial === undefined) {
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

/** Throws `refused` where a device is another than was shown: it may have been taken out, and another one got its name. */
export function refuseChanged(shown: BlockIdentity, now: BlockIdentity): void {
  const isSame =
    shown.number === now.number &&
    shown.sequence === now.sequence &&
    shown.serial === now.serial &&
    shown.sizeBytes === now.sizeBytes;
  if (isSame) return;
  throw new Failure("refused", `cannot write onto "${shown.path}": it is another device than was shown`, {
    hint: "run the same command again",
  });
}
