import * as fs from "node:fs";

/** sd_booted(3) */
export function isSystemdThere(): boolean {
  return fs.existsSync("/run/systemd/system");
}
