import * as fs from "node:fs";
import { openMaildir } from "../../../../src/mail/store/maildir/index.ts";
import { temporaryFolder } from "../../../temp.ts";
import { textsContract } from "../texts-contract.ts";

textsContract("Maildir", () => {
  const folder = temporaryFolder();
  const store = openMaildir(folder.join("Maildir"), { now: Date.now });
  return {
    store,
    indexFile: folder.join("Maildir/holdfast-index.sqlite"),
    remove: (name) => fs.rmSync(folder.join(`Maildir/.${name}`), { recursive: true }),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
});
