import * as fs from "node:fs";
import type { MboxPlaces } from "./folders.ts";
import { finishMoves } from "./moves.ts";
import { MboxRoot, type MboxRootOptions } from "./mbox-root.ts";

/** Roots that nobody has open any more, and that are kept all the same: whoever comes back finds them in memory. */
const idleLimit = 32;

interface Shared {
  readonly root: MboxRoot;
  users: number;
}

/** By folder: all connections of one user in this process share what is known of the mail. */
const shared = new Map<string, Shared>();

export function borrowMboxRoot(
  location: MboxPlaces & { readonly index?: string },
  options: Pick<MboxRootOptions, "now">,
): Disposable & { readonly root: MboxRoot } {
  fs.mkdirSync(location.folder, { recursive: true, mode: 0o700 });
  const { dev, ino } = fs.statSync(location.folder);
  const key = JSON.stringify([fs.realpathSync(location.folder), dev, ino, location.inbox, location.index]);
  const held = shared.get(key) ?? { root: new MboxRoot(location, { ...options, index: location.index }), users: 0 };
  // The last one that was used is the last in the map.
  shared.delete(key);
  shared.set(key, held);
  held.users++;
  finishMoves(held.root);
  const returned = new DisposableStack();
  returned.defer(() => {
    held.users--;
    const idle = [...shared].filter(([, { users }]) => users === 0);
    for (const [old, { root }] of idle.slice(0, Math.max(0, idle.length - idleLimit))) {
      shared.delete(old);
      root[Symbol.dispose]();
    }
  });
  return { root: held.root, [Symbol.dispose]: () => returned.dispose() };
}
