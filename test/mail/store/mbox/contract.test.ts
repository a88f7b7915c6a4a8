import { openMbox } from "../../../../src/mail/store/mbox/index.ts";
import { temporaryFolder } from "../../../temp.ts";
import { storeContract } from "../contract.ts";

for (const [kind, sign] of [
  ["mbox", () => ""],
  ["mbox, each connection as if in a process of its own", (opened: number) => "./".repeat(opened)],
] as const) {
  const start = async () => {
    const folder = temporaryFolder();
    let opened = 0;
    return {
      // What a process shares goes by how the place is written.
      open: () =>
        openMbox({ folder: folder.join("mail"), inbox: `${folder.path}/${sign(opened++)}joe` }, { now: Date.now }),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  };
  storeContract(kind, start, { hasMailboxesInMailboxes: false });
}
