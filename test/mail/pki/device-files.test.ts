/** What devices are set up by. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { autoconfigXml } from "../../../src/mail/pki/autoconfig.ts";
import { mobileConfig } from "../../../src/mail/pki/mobile-config.ts";
import { newPassphrase } from "../../../src/mail/pki/passphrase.ts";
import { derivePkcs12Key } from "../../../src/mail/pki/pkcs12-key.ts";
import { runPeer, skipWithout } from "../../peers/peer.ts";

const account = {
  mailbox: "joe&ann@example.org",
  host: "mail.example.org",
  imapsPort: 993,
  pop3sPort: 995,
  smtpHost: "smtp.example.org",
  smtpPort: 465,
  isCertificateAlone: false,
};
const request = { account, device: "phone", serial: "4A", root: Uint8Array.of(1, 2), pkcs12: Buffer.alloc(100, 7) };

test(
  "a profile is a property list with root, identity and account, each by its own UUID",
  { skip: skipWithout("python3") },
  () => {
    const script = `import plistlib, sys, json
p = plistlib.loads(sys.stdin.buffer.read())
print(json.dumps(p, default=lambda b: b.hex()))`;
    const profile = JSON.parse(runPeer("python3", ["-c", script], { input: mobileConfig(request) })) as {
      PayloadUUID: string;
      PayloadContent: Record<string, unknown>[];
    };
    const [root, identity, mail] = profile.PayloadContent;
    assert.equal(root?.["PayloadContent"], "0102");
    assert.equal(identity?.["PayloadContent"], "07".repeat(100));
    assert.equal(identity?.["Password"], undefined);
    assert.equal(mail?.["EmailAddress"], account.mailbox);
    assert.equal(mail?.["IncomingMailServerPortNumber"], 993);
    assert.equal(mail?.["IncomingMailServerUseSSL"], true);
    const uuids = [profile, ...profile.PayloadContent].map((one) => one["PayloadUUID"] as string);
    assert.equal(new Set(uuids).size, 4);
    for (const uuid of uuids)
      assert.match(uuid, /^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/);
    assert.notEqual(mobileConfig({ ...request, serial: "4B" }), mobileConfig(request));
  },
);

test("autoconfiguration is well-formed and says how to log in", { skip: skipWithout("xmllint") }, () => {
  const value = (text: string, path: string): string =>
    runPeer("xmllint", ["--xpath", `string(${path})`, "-"], { input: text }).trim();
  const text = autoconfigXml(account);
  assert.equal(value(text, "/clientConfig/@version"), "1.1");
  assert.equal(value(text, "//domain"), "example.org");
  assert.equal(value(text, "//incomingServer[@type='imap']/hostname"), "mail.example.org");
  assert.equal(value(text, "//incomingServer[@type='pop3']/port"), "995");
  assert.equal(value(text, "//incomingServer/authentication"), "password-cleartext");
  assert.equal(value(text, "//outgoingServer/socketType"), "SSL");
  const alone = autoconfigXml({ ...account, isCertificateAlone: true });
  assert.equal(value(alone, "//incomingServer/authentication"), "TLS-client-cert");
});

test("keys of PKCS #12 are derived as everybody derives them", () => {
  // OpenSSL's own test vectors for its PKCS12KDF.
  const salt = Buffer.from("0a58cf64530d823f", "hex");
  const derived = { hash: "sha1", passphrase: "smeg", salt, iterations: 1 } as const;
  const key = derivePkcs12Key({ ...derived, purpose: "key", lengthBytes: 24 });
  assert.equal(key.toString("hex"), "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3");
  const longer = { hash: "sha1", passphrase: "queeg", iterations: 1000, lengthBytes: 20 } as const;
  const mac = derivePkcs12Key({ ...longer, salt: Buffer.from("263216fcc2fab31c", "hex"), purpose: "mac" });
  assert.equal(mac.toString("hex"), "5ec4c7a80df652294c3925b6489a7ab857c83476");
});

test("a passphrase is long, easily typed, and never the same", () => {
  const some = Array.from({ length: 50 }, newPassphrase);
  assert.equal(new Set(some).size, 50);
  for (const one of some) assert.match(one, /^([a-hjkmnp-z2-9]{4}-){4}[a-hjkmnp-z2-9]{4}$/);
});
