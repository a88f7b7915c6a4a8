import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./bench.ts";
import { benchMessage, mailboxMessages } from "./mail-inputs.ts";

/** The same with Python: every message taken apart, its addresses and parts looked at. */
const python = `
import os, sys
from email.parser import BytesParser
from email.utils import getaddresses
folder, count = sys.argv[1], 0
for name in os.listdir(folder):
    with open(os.path.join(folder, name), "rb") as file:
        message = BytesParser().parse(file)
    count += sum(len(getaddresses(message.get_all(field, []))) for field in ("from", "to", "cc"))
    count += sum(len(part.get_content_type()) for part in message.walk())
print(count)
`;

function messagesIn(folder: string): string {
  const messages = path.join(folder, "messages");
  if (fs.existsSync(messages)) return messages;
  fs.mkdirSync(`${messages}.part`, { recursive: true });
  for (let n = 0; n < mailboxMessages; n++) fs.writeFileSync(path.join(`${messages}.part`, String(n)), benchMessage(n));
  fs.renameSync(`${messages}.part`, messages);
  return messages;
}

/** Taking 10,000 messages of 2 to 20 KB apart, as the index does of mail that it has not seen. */
export const benches: readonly Bench[] = [
  {
    name: "take 10,000 messages apart",
    peer: "Python's email",
    ratioLimit: 0.5,
    runs: 3,
    prepare(folder) {
      const messages = messagesIn(folder);
      return {
        ours: [process.execPath, "--max-semi-space-size=8", "bench/parse-mail.ts", messages], // as ./holdfast starts Node
        theirs: ["python3", "-c", python, messages],
        outputs: [],
      };
    },
  },
];
