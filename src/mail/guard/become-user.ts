import { Failure, identities, type FileUser } from "../../base/index.ts";
import type { Identity } from "./messages.ts";

/** Who nobody is: the identity for files of a process that is root only in order to become others. */
const nobody: FileUser = { uid: 65_534, gid: 65_534 };

/** Node has it, its types do not. */
type ProcessWithGroups = NodeJS.Process & { readonly initgroups?: (user: number, extraGroup: number) => void };

/** Gives up for good what a process does not need. Throws `failed` where the system does not allow it. */
export function becomeUser({ uid, gid, groups, actsAsUsers }: Identity): void {
  if (actsAsUsers === true) {
    process.setgroups?.([...(groups ?? [])]);
    if (identities()?.keepRootInThisThread(nobody) !== true) {
      throw new Failure("unsupported", "cannot open files as their users: that needs root, and Linux on x64 or arm64");
    }
    return;
  }
  if (uid === undefined || gid === undefined) return;
  // With the groups that the account is a member of: `mail` lets it make dotlocks in /var/mail.
  (process as ProcessWithGroups).initgroups?.(uid, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/**
 * Runs what does not wait with the files of a user: what that user may not open is refused. Whatever is opened outside of
 * it is opened as nobody, so that what was forgotten fails, instead of being done as root.
 */
export function actingAs(user: FileUser): <T>(work: () => T) => T {
  const calls = identities();
  let depth = 0;
  return (work) => {
    if (depth === 0 && calls?.setFileUser(user) !== true) {
      calls?.setFileUser(nobody);
      throw new Failure("failed", `cannot open files as the user ${user.uid}: the system does not allow it`);
    }
    depth++;
    try {
      return work();
    } finally {
      depth--;
      if (depth === 0) calls?.setFileUser(nobody);
    }
  };
}
