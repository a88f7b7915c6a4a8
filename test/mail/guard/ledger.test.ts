/** What addresses and certificates may do, and for how long they are kept out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { auditText } from "../../../src/mail/guard/audit.ts";
import { Ledger } from "../../../src/mail/guard/ledger.ts";

const limits = {
  connections: 5,
  connectionsPerAddress: 3,
  connectionsPerCertificate: 2,
  handshakesPerAddress: 6,
  refusalsPerCertificate: 2,
  refusalsPerAddress: 3,
  windowMs: 1000,
  banMs: 5000,
  handshakeMs: 1000,
  loginMs: 1000,
};

function ledger(): { readonly ledger: Ledger; readonly later: (ms: number) => void } {
  let now = 0;
  return { ledger: new Ledger(limits, () => now), later: (ms) => (now += ms) };
}

test("connections at once: of an address, of a certificate, of all", () => {
  const { ledger: one } = ledger();
  for (let n = 0; n < 3; n++) assert.equal(one.begin("192.0.2.1"), undefined);
  assert.equal(one.begin("192.0.2.1"), "too many connections");
  assert.equal(one.begin("::ffff:192.0.2.1"), "too many connections"); // the same address
  for (let n = 0; n < 2; n++) assert.equal(one.begin("192.0.2.2"), undefined);
  assert.equal(one.begin("192.0.2.3"), "too many connections");
  one.end("192.0.2.1");
  assert.equal(one.begin("192.0.2.3"), undefined);
  for (let n = 0; n < 2; n++) assert.equal(one.hold("aa"), undefined);
  assert.equal(one.hold("aa"), "too many connections");
  one.release("aa");
  assert.equal(one.hold("aa"), undefined);
});

test("handshakes within a window", () => {
  const { ledger: one, later } = ledger();
  for (let n = 0; n < 6; n++) {
    assert.equal(one.begin("192.0.2.1"), undefined);
    one.end("192.0.2.1");
  }
  assert.equal(one.begin("192.0.2.1"), "too many connections");
  later(1001);
  assert.equal(one.begin("192.0.2.1"), undefined);
});

test("refusals ban an address and a certificate, each by itself, for a while", () => {
  const { ledger: one, later } = ledger();
  for (let n = 0; n < 3; n++) one.refuse(`192.0.2.${n}`, "aa"); // from everywhere, by one certificate
  assert.equal(one.begin("192.0.2.1"), undefined);
  assert.equal(one.hold("aa"), "banned");
  assert.equal(one.hold("bb"), undefined);
  for (let n = 0; n < 3; n++) one.refuse("2001:db8::1");
  assert.equal(one.begin("2001:db8::2"), "banned"); // the same network
  assert.equal(one.begin("2001:db8:0:1::1"), undefined);
  later(5001);
  assert.equal(one.begin("2001:db8::1"), undefined);
  assert.equal(one.hold("aa"), undefined);
});

test("refusals that are long ago do not count", () => {
  const { ledger: one, later } = ledger();
  for (let n = 0; n < 2; n++) one.refuse("192.0.2.1");
  later(1001);
  one.refuse("192.0.2.1");
  assert.equal(one.begin("192.0.2.1"), undefined);
});

test("a line of the audit stays one line, whatever a client calls itself", () => {
  assert.equal(auditText({ event: "refused", login: "joe", why: undefined }), "event=refused login=joe");
  const text = auditText({ event: "refused", login: 'a\nb "c" \u001b[2J é=x' });
  assert.match(text, /^event=refused login="[ -~]+"$/);
  assert.ok(auditText({ event: "x", login: "y".repeat(100_000) + " " }).length < 300);
});
