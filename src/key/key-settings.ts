import { Failure } from "../base/index.ts";
import { layoutVersion } from "./key-layout.ts";
import { grubWord } from "./grub-words.ts";

/** What a key knows of itself: a script that its menu reads first. */
export interface KeySettings {
  /** As GRUB spells it: how `isos` is found, wherever the key is plugged in. */
  readonly isosUuid: string;
  /** By what `isos` is found once someone has formatted it anew. */
  readonly isosLabel: string;
  /** As GRUB names it on the key's own disk, such as `msdos2`. */
  readonly isosPartition: string;
  /** The menu is on the first serial port too, and kernels speak there. */
  readonly serial: boolean;
  /** It starts where Secure Boot is on, and there only what is signed by one of these, or by one of the firmware's. */
  readonly secureBootSigners?: readonly string[];
  /** The first entry is started after so long. Absent: the menu waits. */
  readonly timeoutSeconds?: number;
}

const signerSeparator = "; ";

export function settingsText(settings: KeySettings): string {
  const lines: readonly (readonly [string, string])[] = [
    ["key_layout", String(layoutVersion)],
    ["key_isos_uuid", settings.isosUuid],
    ["key_isos_label", settings.isosLabel],
    ["key_isos_partition", settings.isosPartition],
    ["key_serial", settings.serial ? "1" : ""],
    ["key_secure_boot", (settings.secureBootSigners ?? []).join(signerSeparator)],
    ["timeout", String(settings.timeoutSeconds ?? -1)],
  ];
  return `# What this key is. Made by holdfast.\n${lines.map(([name, value]) => `set ${name}=${grubWord(value)}\n`).join("")}`;
}

/** Throws `unsupported` where another version of this program made it. */
export function parseSettings(text: string, keyName: string): KeySettings {
  const lines = text.matchAll(/^set (\w+)='((?:[^'\n]|'\\'')*)'$/gm);
  const values = new Map(Array.from(lines, ([, name, value = ""]) => [name, value.replaceAll(String.raw`'\''`, "'")]));
  const version = values.get("key_layout");
  if (version !== String(layoutVersion)) {
    throw new Failure("unsupported", `cannot use the key "${keyName}": its layout is ${version ?? "not known"}`, {
      hint: `this program knows layout ${layoutVersion}`,
    });
  }
  const signers = values.get("key_secure_boot") ?? "";
  const timeout = Number(values.get("timeout") ?? "-1");
  return {
    isosUuid: values.get("key_isos_uuid") ?? "",
    isosLabel: values.get("key_isos_label") ?? "",
    isosPartition: values.get("key_isos_partition") ?? "",
    serial: values.get("key_serial") === "1",
    ...(signers === "" ? {} : { secureBootSigners: signers.split(signerSeparator) }),
    ...(timeout >= 0 ? { timeoutSeconds: timeout } : {}),
  };
}
