/** Receives by LMTP into a Maildir (joe) and an mbox (anna) until it is killed. */
import { serveLmtp } from "../../src/mail/smtp/index.ts";
import { openMaildir } from "../../src/mail/store/maildir/index.ts";
import { openMbox } from "../../src/mail/store/mbox/index.ts";

const [, , folder = ""] = process.argv;
const now = Date.now;

await serveLmtp({
  path: `${folder}/lmtp`,
  hostName: "mail.example.org",
  domains: ["example.org"],
  aliases: `${folder}/aliases`,
  hasMailbox: (address) => ["joe@example.org", "anna@example.org"].includes(address),
  openStore: async (address) =>
    address.startsWith("joe")
      ? openMaildir(`${folder}/Maildir`, { now })
      : openMbox({ folder: `${folder}/mail`, inbox: `${folder}/anna` }, { now }),
  nowMs: now,
});
console.log("ready");
