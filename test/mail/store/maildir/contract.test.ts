import { openMaildir } from "../../../../src/mail/store/maildir/index.ts";
import { temporaryFolder } from "../../../temp.ts";
import { storeContract } from "../contract.ts";

storeContract("Maildir", async () => {
  const folder = temporaryFolder();
  return {
    open: () => openMaildir(folder.join("Maildir"), { now: Date.now }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});
