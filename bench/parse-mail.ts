import * as fs from "node:fs";
import * as path from "node:path";
import { bodyStructureText, envelopeText } from "../src/mail/imap/fetch-text/index.ts";
import { parseMessage } from "../src/mail/message/index.ts";

/** What the bench times: what IMAP says of every message of the folder named on the command line. */
const [folder = ""] = process.argv.slice(2);
const options = { utf8: false, extended: true };
let characters = 0;
for (const name of fs.readdirSync(folder)) {
  const { envelope, root } = parseMessage(fs.readFileSync(path.join(folder, name)));
  characters += envelopeText(envelope, options).length + bodyStructureText(root, options).length;
}
console.log(characters);
