import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { parseEditScript } from "../../src/disk/index.ts";

test("a line is divided as a shell divides it", () => {
  const [first, second, third] = parseEditScript(`
    # a comment
    mv "/a b" '/c "d"' /e\\ f   # and another
    rm -rf /x -- -y
    ln -s ../up /link
  `);
  assert.deepEqual(first, { verb: "mv", from: ["/a b", '/c "d"'], to: "/e f" });
  assert.deepEqual(second, { verb: "rm", paths: ["/x", "-y"], recursive: true, force: true });
  assert.deepEqual(third, { verb: "ln", target: "../up", path: "/link", symbolic: true });
});

test("a document goes into a file as it stands", () => {
  const edits = parseEditScript(`append /etc/hosts <<END\n127.0.0.1  "x" # kept\n\nEND\nwrite /etc/hostname anna\n`);
  const texts = edits.map((edit) => (edit.verb === "write" ? Buffer.from(edit.bytes).toString() : ""));
  assert.deepEqual(texts, ['127.0.0.1  "x" # kept\n\n', "anna\n"]);
  assert.deepEqual(
    edits.map((edit) => edit.verb === "write" && edit.isAppended),
    [true, false],
  );
});

test("what is wrong is told with its line", () => {
  const wrong = [
    ["rm /a\nfrob /x", /^cannot understand line 2 of the script: there is no "frob"$/],
    ["rm -q /a", /^cannot understand line 1 of the script: "rm" has no option "-q"$/],
    ["ln /a", /^cannot understand line 1 of the script: "ln" has 1 words, it needs 2$/],
    ["\n\nrm '/a", /^cannot understand line 3 of the script: a quote is not closed$/],
    ["write /a <<END\nx", /^cannot understand line 1 of the script: no line END follows$/],
    ["chmod zz /a", /^cannot understand line 1 of the script: cannot understand the mode "zz"$/],
  ] as const;
  for (const [script, message] of wrong) {
    assert.throws(
      () => parseEditScript(script),
      (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.code, "usage");
        assert.match(error.message, message);
        return true;
      },
    );
  }
});
