import * as fs from "node:fs";
import { Failure } from "../../base/index.ts";
import { identityOf } from "../../device/index.ts";
import type { PlanSource } from "./plan.ts";

/** The path under which a job's disk is at the moment. Throws `not-found` where it is not there. */
export function findSource(source: PlanSource, root = "/"): string {
  if (source.kind === "path") {
    if (fs.existsSync(source.path)) return source.path;
    throw new Failure("not-found", `cannot find "${source.path}": it is not there`, {
      hint: "is the disk plugged in? ls -l /dev/disk/by-id lists those that are",
    });
  }
  const found = disksOf(root).filter((disk) => disk.serial === source.serial);
  const [first, second] = found;
  if (first === undefined) {
    throw new Failure("not-found", `cannot find the disk with the serial number "${source.serial}": it is not there`, {
      hint: "is it plugged in? lsblk -o NAME,SERIAL lists those that are",
    });
  }
  if (second === undefined) return first.path;
  throw new Failure("refused", `cannot choose a disk: ${first.path} and ${second.path} have the same serial number`, {
    hint: 'name it as /dev/disk/by-id does: source = "id:…"',
  });
}

function disksOf(root: string) {
  const folder = `${root}/sys/block`;
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap((name) => {
    try {
      const number = fs.readFileSync(`${folder}/${name}/dev`, "utf8").trim();
      return [identityOf(`/dev/${name}`, number, { root })];
    } catch {
      return []; // it went away meanwhile
    }
  });
}
