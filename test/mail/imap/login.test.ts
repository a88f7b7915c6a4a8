import assert from "node:assert/strict";
import { test } from "node:test";
import { follow, Talk } from "./talk.ts";

const stranger = { isStranger: true } as const;

async function asStranger(transcript: string, options = {}): Promise<void> {
  await using talk = await Talk.open({ ...stranger, ...options });
  await talk.follow(transcript);
}

test("LOGIN lets in who is right, by atoms, quoted strings and literals (RFC 9051 §6.2.3)", async () => {
  await asStranger(`C: a1 LOGIN joe secret
    S: a1 OK [CAPABILITY IMAP4rev1 IMAP4rev2 …] Logged in.
    C: a2 LOGIN joe secret
    S: a2 BAD LOGIN is not possible after login`);
  await asStranger(`C: a1 LOGIN "joe" {6}
    S: + OK
    C: secret
    S: a1 OK …`);
  await asStranger(`C: a1 login {3+}
    C: joe "secret"
    S: a1 OK …`);
});

test("AUTHENTICATE PLAIN, with and without an initial response (RFC 4616, SASL-IR RFC 4959)", async () => {
  const right = Buffer.from("\0joe\0secret").toString("base64");
  await asStranger(`C: a1 AUTHENTICATE PLAIN
    S: +${" "}
    C: ${right}
    S: a1 OK [CAPABILITY …] Logged in.`);
  await asStranger(`C: a1 AUTHENTICATE PLAIN ${right}
    S: a1 OK …`);
  await asStranger(`C: a1 AUTHENTICATE PLAIN
    S: +${" "}
    C: *
    S: a1 BAD …
    C: a2 AUTHENTICATE PLAIN ${Buffer.from("patrick\0joe\0secret").toString("base64")}
    S: a2 NO [AUTHORIZATIONFAILED] …
    C: a3 AUTHENTICATE PLAIN !!!!
    S: a3 BAD …`);
});

test("AUTHENTICATE LOGIN and EXTERNAL; what is not offered is refused", async () => {
  await asStranger(`C: a1 AUTHENTICATE LOGIN
    S: + VXNlcm5hbWU6
    C: am9l
    S: + UGFzc3dvcmQ6
    C: c2VjcmV0
    S: a1 OK …`);
  await asStranger("C: a1 AUTHENTICATE EXTERNAL =\n S: a1 OK …", { allowsExternal: true });
  await asStranger(`C: a1 AUTHENTICATE EXTERNAL =
    S: a1 NO [CANNOT] …
    C: a2 AUTHENTICATE SCRAM-SHA-256
    S: a2 NO [CANNOT] …`);
});

test("a wrong password is refused, and after three the connection ends", async () => {
  await using talk = await Talk.open(stranger);
  const refusal = "NO [AUTHENTICATIONFAILED] The certificate, the name or the password does not match.";
  await talk.says("a1 LOGIN joe wrong", `a1 ${refusal}`);
  await talk.says("a2 LOGIN nobody secret", `a2 ${refusal}`);
  await talk.says("a3 LOGIN joe wrong", `a3 ${refusal}`);
  assert.equal(await talk.rest(), "* BYE Too many logins were refused.\r\n");
});

test("before login nothing is told of mail, and nothing long is taken", async () => {
  await asStranger(`C: a1 SELECT INBOX
    S: a1 BAD SELECT is not possible before login
    C: a2 LIST "" *
    S: a2 BAD LIST is not possible before login
    C: a3 APPEND INBOX {100000}
    S: a3 BAD the command is too long
    C: a4 LOGIN {100000}
    S: a4 BAD the command is too long
    C: a5 LOGIN joe {20000+}
    C: ${"x".repeat(20_000)}
    S: a5 BAD the command is too long
    C: a6 CAPABILITY
    S: * CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE AUTH=PLAIN AUTH=LOGIN
    S: a6 OK …`);
});

test("ID says who is there, and takes what RFC 2971 §3.1 shows", async () => {
  await follow(`C: a023 ID ("name" "sodr" "version" "19.34" "vendor" "Pink Floyd Music Limited")
    S: * ID ("name" "Holdfast")
    S: a023 OK …
    C: a042 ID NIL
    S: * ID ("name" "Holdfast")
    S: a042 OK …
    C: a043 ID (${Array.from({ length: 31 }, (_, index) => `"n${index}" NIL`).join(" ")})
    S: a043 BAD …`);
});

test("who does not log in, or says nothing for too long, is told goodbye", async () => {
  await using silent = await Talk.open({ ...stranger, limits: { loginMs: 5 } });
  assert.equal(await silent.rest(), "* BYE Nobody logged in.\r\n");
  await using idle = await Talk.open({ limits: { idleMs: 5 } });
  assert.equal(await idle.rest(), "* BYE Nothing was said for too long.\r\n");
});

test("the guard's end of a connection is told at once, even in IDLE", async () => {
  await using talk = await Talk.open();
  await talk.says("a1 IDLE", "+ idling");
  talk.stop.abort("The certificate was revoked.");
  assert.equal(await talk.rest(), "* BYE The certificate was revoked.\r\n");
});
