import { test } from "node:test";
import { memoryMail, Talk } from "./talk.ts";

test("IDLE tells what others add, change and remove, until DONE (RFC 2177)", async () => {
  const mail = memoryMail();
  mail.add("INBOX", "Subject: 1\n\n1\n", "Subject: 2\n\n2\n");
  await using talk = await Talk.open({ mail });
  await talk.answerTo("a1 SELECT INBOX");
  await talk.says("a2 IDLE", "+ idling");
  mail.add("INBOX", "Subject: 3\n\n3\n");
  await talk.expect("* 3 EXISTS");
  const other = mail.store().open("INBOX", { isReadOnly: false });
  await other.setFlags([2], { mode: "add", flags: ["$Forwarded"] });
  await talk.expect(`* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen $Forwarded)`);
  await talk.expect("* OK [PERMANENTFLAGS (…$Forwarded \\*)] …");
  await talk.expect("* 2 FETCH (FLAGS ($Forwarded))");
  await other.setFlags([1], { mode: "add", flags: ["\\Deleted"] });
  await talk.expect("* 1 FETCH (FLAGS (\\Deleted))");
  await other.expunge();
  await talk.expect("* 1 EXPUNGE");
  await talk.says("DONE", "a2 OK No longer idle.");
});

test("IDLE says now and then that the connection lives, and ends with anything but DONE in BAD", async () => {
  await using talk = await Talk.open({ limits: { keepAliveMs: 5 } });
  await talk.says("a1 IDLE", "+ idling", "* OK Still here.", "* OK Still here.");
  talk.send("a2 NOOP\r\n");
  let line = await talk.line();
  while (line === "* OK Still here.") line = await talk.line();
  if (!line.startsWith("a1 BAD ")) throw new Error(line);
});
