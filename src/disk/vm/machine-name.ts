import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import type { Target } from "./target.ts";

const lengthLimit = 60;

/** The name that was given, where the target takes it; else one made of the name of the disk's file. */
export function machineName(target: Target, given: string | undefined, diskPath: string): string {
  const { pattern, words } = target.name;
  if (given === undefined) return nameFromFile(target, diskPath);
  if (given.length <= lengthLimit && pattern.test(given)) return given;
  throw new Failure(
    "usage",
    `cannot call a machine "${given}": ${target.title} takes ${words}, ${lengthLimit} at most`,
    {
      hint: `such as ${nameFromFile(target, given)}`,
    },
  );
}

function nameFromFile({ name: { pattern, filler } }: Target, diskPath: string): string {
  const { name } = path.parse(diskPath);
  const plain = name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^A-Za-z0-9]+/g, (run) => (pattern.test(`a${run}a`) ? run : filler));
  const trimmed = plain.slice(0, lengthLimit - "vm-".length).replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
  if (trimmed === "") return "vm";
  return pattern.test(trimmed) ? trimmed : `vm-${trimmed}`;
}
