import { startableOf as anyStartableOf, type Startable as AnyStartable } from "../../boot/index.ts";
import type { Architecture } from "./boot-entry.ts";

export { startableBytes } from "../../boot/index.ts";

/** A kernel, or a program for UEFI, for a machine that a key can be put into. */
export interface Startable extends AnyStartable {
  readonly architecture: Architecture;
}

const machines: ReadonlySet<string> = new Set(["i386", "x86_64", "arm64"] satisfies readonly Architecture[]);

/** What the start of a file says that it is; undefined where it is nothing for these machines. */
export function startableOf(start: Uint8Array): Startable | undefined {
  const startable = anyStartableOf(start);
  return startable !== undefined && isForKeys(startable) ? startable : undefined;
}

function isForKeys(startable: AnyStartable): startable is Startable {
  return machines.has(startable.architecture);
}
