import assert from "node:assert/strict";
import { test } from "node:test";
import { derContext, derInteger, derSequence, derUtf8String } from "../../../src/bytes/der/index.ts";
import { constraintsExtension, forbiddenName, readConstraints } from "../../../src/mail/pki/name-constraints.ts";
import { objectIds } from "../../../src/mail/pki/object-ids.ts";

const none = { mailboxes: [], hosts: [], addresses: [] };

function forbidden(ownNames: Parameters<typeof constraintsExtension>[0], names: object) {
  const constraints = readConstraints(constraintsExtension(ownNames), "constraints");
  assert.ok(constraints !== undefined);
  return forbiddenName({ ...none, ...names }, constraints);
}

test("what is written permits the names given and nothing else", () => {
  const own = { domains: ["example.org"], hosts: ["mail.example.net", "192.0.2.7", "2001:db8::7"] };
  const cases: readonly (readonly [object, string | undefined])[] = [
    [{ mailboxes: ["joe@example.org", "Joe@EXAMPLE.org"] }, undefined],
    [{ mailboxes: ["joe@example.org", "joe@a.example.org"] }, "joe@a.example.org"],
    [{ mailboxes: ["joe@example.org@example.com"] }, "joe@example.org@example.com"],
    [{ hosts: ["example.org", "imap.example.org", "a.mail.example.net"] }, undefined],
    [{ hosts: ["notexample.org"] }, "notexample.org"],
    [{ hosts: ["example.net"] }, "example.net"],
    [{ addresses: ["192.0.2.7", "2001:db8::7"] }, undefined],
    [{ addresses: ["192.0.2.8"] }, "192.0.2.8"],
    [{ addresses: ["2001:db8::8"] }, "2001:db8::8"],
  ];
  for (const [names, expected] of cases) assert.equal(forbidden(own, names), expected, JSON.stringify(names));
});

test("where no address is named, none is permitted", () => {
  const own = { domains: ["example.org"], hosts: ["mail.example.org"] };
  assert.equal(forbidden(own, { addresses: ["192.0.2.8"] }), "192.0.2.8");
  assert.equal(forbidden(own, { addresses: ["::1"] }), "::1");
});

test("constraints of other kinds of names, or with a depth, are not understood", () => {
  const organization = derContext(4, derSequence(derUtf8String("x")));
  const host = derContext(2, Buffer.from("a"), { isConstructed: false });
  const depth = derContext(0, derInteger(1), { isConstructed: false });
  for (const tree of [derSequence(organization), derSequence(host, depth)]) {
    const value = derSequence(derContext(0, tree));
    assert.equal(readConstraints({ objectId: objectIds.nameConstraints, isCritical: true, value }, "x"), undefined);
  }
});
