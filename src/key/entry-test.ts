import type { Firmware } from "./recognise/index.ts";

/** `secure` is UEFI that starts only what is signed. */
export type TestFirmware = Firmware | "secure";

/** What came of an entry that was started. */
export interface Verdict {
  /**
   * `started`: what it starts was seen to run. `reached`: it said the text that was waited for. `refused`: GRUB said why
   * not. `silent`: nothing was seen. `off`: the machine switched itself off before anything was.
   */
  readonly outcome: "started" | "reached" | "refused" | "silent" | "off";
  /** What was seen, or why not, for people. */
  readonly seen: string;
}

/** What came of starting an entry in a virtual machine, as the key keeps it. */
export interface EntryTest extends Verdict {
  /** Which entry of its file, counted from 1. */
  readonly entry: number;
  readonly firmware: TestFirmware;
  /** When, in the form of ISO 8601. */
  readonly at: string;
  /** Of this program. */
  readonly version: string;
  /** Of the file, by which another one of its name is known. */
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
}

export function isEntryTest(value: unknown): value is EntryTest {
  if (typeof value !== "object" || value === null) return false;
  const { entry, firmware, outcome, seen, at, version, sizeBytes, modifiedSeconds } = value as Partial<
    Record<keyof EntryTest, unknown>
  >;
  return (
    [firmware, outcome, seen, at, version].every((text) => typeof text === "string") &&
    [entry, sizeBytes, modifiedSeconds].every((number) => typeof number === "number")
  );
}

/** Whether it was seen to start. */
export function hasStarted({ outcome }: Pick<EntryTest, "outcome">): boolean {
  return outcome === "started" || outcome === "reached";
}
