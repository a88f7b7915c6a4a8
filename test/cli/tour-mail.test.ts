import assert from "node:assert/strict";
import { test } from "node:test";
import { runHoldfast } from "./run-holdfast.ts";

test("the tour of mail fetches a message, and lets in neither a phisher nor a thief", async () => {
  const { stdout, stderr, status } = await runHoldfast(["tour", "--mail"], { HOME: "/nonexistent" });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^imaps 127\.0\.0\.1:9993\npop3s 127\.0\.0\.1:9995\nsmtp 127\.0\.0\.1:9925$/m);
  assert.match(stdout, /^joe@example\.org@localhost: 1 message, .*\nFrom: Anna <anna@example\.net>\n/m);
  assert.match(stdout, /phisher.*\nthe server hangs up in the handshake: .*certificate required$/m);
  assert.match(stdout, /From now on.*\nthe server hangs up in the handshake: .*certificate revoked$/m);
  assert.equal(stderr, "");
});
