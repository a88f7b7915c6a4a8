import { randomInt } from "node:crypto";

/** Without letters and digits that are taken for each other. */
const letters = "abcdefghjkmnpqrstuvwxyz23456789";
const groups = 5;
const groupLength = 4;

/** A passphrase of 99 bits in groups that can be typed on a telephone: `k7qd-9mfx-…`. */
export function newPassphrase(): string {
  const group = (): string => Array.from({ length: groupLength }, () => letters[randomInt(letters.length)]).join("");
  return Array.from({ length: groups }, group).join("-");
}
