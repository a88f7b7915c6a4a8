import * as path from "node:path";
import { Failure, identities, type FileUser } from "../../base/index.ts";
import type { FoundUser } from "../passwords/index.ts";
import { expandLocation, expandVariables, type MailLocation, type MailSettings } from "../settings/index.ts";
import type { MailStore } from "../store/index.ts";
import { openMaildir } from "../store/maildir/index.ts";
import { openMbox } from "../store/mbox/index.ts";
import { actingAs } from "./become-user.ts";

export interface StoreOpenerOptions {
  /** Opens each user's files as that user of the system; this process is root in its main thread then. */
  readonly actsAsUsers: boolean;
  readonly clock: () => number;
}

/** Opens the mail of a user where the settings, or the user's line in `imap.passwd`, say that it is. */
export function mailStoreOpener(
  settings: MailSettings,
  { actsAsUsers, clock }: StoreOpenerOptions,
): (user: FoundUser) => Promise<MailStore> {
  return async (user) => {
    const { location, files } = locate(user, settings, actsAsUsers);
    const actAs = files === undefined ? undefined : actingAs(files);
    const limitBytes = user.quotaBytes ?? settings.quotaBytes;
    const options = {
      now: clock,
      ...(actAs === undefined ? {} : { actAs }),
      ...(limitBytes === undefined ? {} : { limitBytes }),
    };
    return location.kind === "maildir" ? openMaildir(location.folder, options) : openMbox(location, options);
  };
}

export interface LocatedMail {
  readonly location: MailLocation;
  /** As whom its files are opened; absent where that is whoever this process is. */
  readonly files?: FileUser;
}

/** Where a user's mail is, and whose its files are. */
function locate(
  found: FoundUser,
  settings: Pick<MailSettings, "location" | "home" | "hasSystemUsers">,
  actsAsUsers: boolean,
): LocatedMail {
  const name = found.user.slice(0, found.user.lastIndexOf("@"));
  const account = settings.hasSystemUsers ? identities()?.accountNamed(name) : undefined;
  const home = found.home ?? account?.home ?? expandVariables(settings.home, { user: found.user, home: "" });
  if (!path.isAbsolute(home)) throw new Failure("damaged", `cannot use the home "${home}": it is not an absolute path`);
  const location = expandLocation(found.location ?? settings.location, { user: found.user, home });
  if (!actsAsUsers) return { location };
  const [uid, gid] = [found.uid ?? account?.uid, found.gid ?? account?.gid];
  if (uid === undefined || gid === undefined) {
    throw new Failure("not-found", `cannot open the mail of "${found.user}": the system has no account "${name}"`, {
      hint: "give uid and gid in imap.passwd",
    });
  }
  if (uid === 0) throw new Failure("refused", `cannot open the mail of "${found.user}": it would be opened as root`);
  return { location, files: { uid, gid } };
}
