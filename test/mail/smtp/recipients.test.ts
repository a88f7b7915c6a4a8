import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../../src/base/index.ts";
import { AliasesFile, aliasesLimitBytes, parseAliases } from "../../../src/mail/smtp/aliases.ts";
import { expansionLimit, resolveRecipient, type Resolved } from "../../../src/mail/smtp/recipients.ts";
import * as fs from "node:fs";
import { temporaryFolder } from "../../temp.ts";

const aliases = parseAliases(
  [
    "# a comment",
    "postmaster: joe",
    'Root:  "Joe",',
    "   patrick@example.org   ",
    "",
    "sales@example.net: patrick@example.org",
    "all: root, all2",
    "all2: ann@example.net",
    "circle: round",
    "round: circle",
    "joe-only: joe-only",
    "ann: ann, joe@example.org",
    "away: someone@elsewhere.example",
    "lists+dev: patrick",
  ].join("\n"),
  "aliases",
);
const mailboxes = new Set(["joe@example.org", "patrick@example.org", "ann@example.net", "joe-only@example.org"]);
const options = {
  domains: ["example.org", "example.net"],
  aliases,
  hasMailbox: (address: string) => mailboxes.has(address),
  separator: "+",
};

async function to(address: string): Promise<string> {
  const resolved: Resolved = await resolveRecipient(address, options);
  return "refusal" in resolved ? resolved.refusal : resolved.mailboxes.join(" ");
}

test("addresses lead to mailboxes", async () => {
  assert.equal(await to("joe@example.org"), "joe@example.org");
  assert.equal(await to("JOE@Example.ORG"), "joe@example.org");
  assert.equal(await to("joe+lists+a@example.org"), "joe@example.org");
  assert.equal(await to("postmaster"), "joe@example.org");
  assert.equal(await to("root+x@example.org"), "joe@example.org patrick@example.org");
  assert.equal(await to("sales@example.net"), "patrick@example.org");
  assert.equal(await to("sales@example.org"), "unknown");
  assert.equal(await to("joe@example.net"), "unknown");
  assert.equal(await to("all@example.org"), "joe@example.org patrick@example.org ann@example.net");
  assert.equal(await to("joe-only@example.org"), "joe-only@example.org");
  assert.equal(await to("ann@example.net"), "ann@example.net joe@example.org");
  assert.equal(await to("lists+dev@example.org"), "patrick@example.org");
  assert.equal(await to("lists+other@example.org"), "unknown");
  assert.equal(await to("circle@example.org"), "loop");
});

test("nothing leads away from this machine", async () => {
  for (const address of [
    "joe@elsewhere.example",
    "joe%elsewhere.example@example.org",
    '"joe@elsewhere.example"@example.org',
    "@example.org:joe@elsewhere.example",
    "elsewhere.example!joe@example.org",
    "joe@elsewhere.example@example.org",
    "joe@[127.0.0.1]",
    "joe@example.org.elsewhere.example",
    "",
    "@",
    "joe@",
    "|/bin/sh@example.org",
  ]) {
    assert.match(await to(address), /^(relay|unknown)$/, address);
  }
  assert.equal(await to("away@example.org"), "unknown");
  await fc.assert(
    fc.asyncProperty(fc.string(), async (address) => {
      const resolved = await resolveRecipient(address, options);
      if ("refusal" in resolved) return;
      assert.ok(resolved.mailboxes.every((mailbox) => mailboxes.has(mailbox)));
    }),
  );
});

test("a file of aliases that could do more than that is refused, with its line", () => {
  for (const line of [
    "x: |/bin/cat",
    "x: /var/mail/x",
    "x: :include:/etc/passwd",
    'x: "|/bin/cat"',
    "x",
    "x: a b",
    ": a",
    "x:",
  ]) {
    assert.throws(
      () => parseAliases(`a: b\n# c\n${line}\n`, "aliases"),
      (error) =>
        error instanceof Failure &&
        error.code === "usage" &&
        error.message.startsWith('cannot use "aliases": line 3: '),
      line,
    );
  }
  assert.throws(() => parseAliases("a: b\nA: c\n", "aliases"), /line 2: "a" is there twice/);
});

test("lists are as long as they may be, and no longer", async () => {
  await using folder = temporaryFolder();
  const names = (count: number): string => Array.from({ length: count }, (_, number) => `u${number}`).join(", ");
  const listed = (count: number): Promise<Resolved> => {
    const parsed = parseAliases(`all: ${names(count)}`, "aliases");
    return resolveRecipient("all@example.org", { ...options, aliases: parsed, hasMailbox: () => true });
  };
  const whole = await listed(expansionLimit);
  assert.equal("refusal" in whole ? 0 : whole.mailboxes.length, expansionLimit);
  assert.deepEqual(await listed(expansionLimit + 1), { refusal: "too-many" });
  const file = folder.join("aliases");
  const read = new AliasesFile(file);
  assert.equal(read.read().size, 0);
  fs.writeFileSync(file, "a: joe\n".padEnd(aliasesLimitBytes, "\n"));
  assert.equal(read.read().size, 1);
  fs.writeFileSync(file, "a: joe\n".padEnd(aliasesLimitBytes + 1, "\n"));
  assert.throws(() => read.read(), /it is too large/);
});
