import * as fs from "node:fs";
import * as os from "node:os";
import type { DeliveryTarget } from "../delivery.ts";
import { toFile, wireBytes } from "../line-ends.ts";
import { writeMessage } from "./append.ts";
import { newBaseName } from "./file-name.ts";
import { makeMaildir } from "./roots.ts";
import { ToSync } from "./synced.ts";

export interface MaildirDeliveryOptions {
  readonly now: () => number;
  /** Runs what touches files, as the user whose mail it is; what it is given does not wait. */
  readonly actAs?: <T>(work: () => T) => T;
}

/**
 * Delivers into `new` of a Maildir, which is made where there is none: no lock and no index are needed, whoever reads it
 * at the same time. The content is kept as it is, but for the ends of its lines.
 */
export function deliverToMaildir(folder: string, options: MaildirDeliveryOptions): DeliveryTarget {
  const actAs = options.actAs ?? (<T>(work: () => T): T => work());
  const owner = { now: options.now, pid: process.pid, host: os.hostname() };
  return {
    async deliver({ content, receivedMs }) {
      using toSync = new ToSync();
      const name = `${newBaseName(owner)},S=${toFile(content).length},W=${wireBytes(content)}`;
      const temporary = `${folder}/tmp/${name}`;
      try {
        actAs(() => {
          makeMaildir(folder);
          writeMessage(temporary, { content, receivedMs }, fs.statSync(folder).mode & 0o666, toSync);
        });
        await toSync.done();
        actAs(() => {
          fs.renameSync(temporary, `${folder}/new/${name}`);
          toSync.folder(`${folder}/new`);
        });
        await toSync.done();
      } catch (error) {
        actAs(() => fs.rmSync(temporary, { force: true }));
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}
