import { Failure } from "../base/index.ts";
import type { BlockIdentity } from "./block-identity.ts";
import type { DeviceUse } from "./block-uses.ts";

/** Throws `refused` where the running system or anyone else uses a device. `action` is what was to be done with it. */
export function refuseInUse({ uses }: Pick<BlockIdentity, "uses">, action: string): void {
  const system = uses.find(({ isSystem }) => isSystem);
  if (system !== undefined) {
    throw new Failure(
      "refused",
      `cannot ${action}: the system runs from it, ${system.device} is mounted on ${system.by}`,
      { hint: "name the stick's device; lsblk lists them" },
    );
  }
  const [use] = uses;
  if (use !== undefined) throw new Failure("refused", `cannot ${action}: ${useText(use)}`, { hint: freeingHint(use) });
}

/** Throws `refused` where a device is in use, or lets nobody write to it. */
export function refuseUnwritable(device: Pick<BlockIdentity, "uses" | "isReadOnly">, action: string): void {
  refuseInUse(device, action);
  if (!device.isReadOnly) return;
  throw new Failure("refused", `cannot ${action}: it is read-only`, {
    hint: "is there a switch on it that protects it from being written?",
  });
}

/** What whoever only looks at a device should know while it is in use; nothing where it is not. */
export function inUseNote([use]: readonly DeviceUse[]): string | undefined {
  if (use === undefined) return undefined;
  return `${useText(use)}: what was changed there a moment ago may not be seen here`;
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
