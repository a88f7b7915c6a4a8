import * as fs from "node:fs";
import type { LockOwner } from "./dotlock.ts";
import { MaildirRoot } from "./maildir-root.ts";

/** Maildirs that nobody has open any more, and that are kept all the same: whoever comes back finds them in memory. */
const idleLimit = 32;

interface Shared {
  readonly root: MaildirRoot;
  users: number;
}

/** By path and inode: all connections of one user in this process share what is known of the mail. */
const shared = new Map<string, Shared>();

export function borrowRoot(path: string, owner: LockOwner): Disposable & { readonly root: MaildirRoot } {
  const { dev, ino } = fs.statSync(path);
  const key = `${fs.realpathSync(path)} ${dev} ${ino}`;
  const held = shared.get(key) ?? { root: new MaildirRoot(path, owner), users: 0 };
  // The last one that was used is the last in the map.
  shared.delete(key);
  shared.set(key, held);
  held.users++;
  let isReturned = false;
  return {
    root: held.root,
    [Symbol.dispose]() {
      if (isReturned) return;
      isReturned = true;
      held.users--;
      const idle = [...shared].filter(([, { users }]) => users === 0);
      for (const [old, { root }] of idle.slice(0, Math.max(0, idle.length - idleLimit))) {
        shared.delete(old);
        root[Symbol.dispose]();
      }
    },
  };
}

/** An empty Maildir where there is none. */
export function makeMaildir(path: string): void {
  if (fs.existsSync(`${path}/cur`) && fs.existsSync(`${path}/new`) && fs.existsSync(`${path}/tmp`)) return;
  for (const name of ["cur", "new", "tmp"]) fs.mkdirSync(`${path}/${name}`, { recursive: true, mode: 0o700 });
}
