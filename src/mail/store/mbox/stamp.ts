import * as fs from "node:fs";

/** What changes with every change of the file. */
export function stampOf(file: number | string): string {
  const stat = typeof file === "number" ? fs.fstatSync(file, { bigint: true }) : fs.statSync(file, { bigint: true });
  return `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}
