import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseEditScript } from "../../src/cli/disk/edit-script.ts";
import { editText, parseModeChange, parseOwner, type Edit } from "../../src/disk/index.ts";

function editsOf(script: string): Edit[] {
  return parseEditScript(script).map(({ edit }) => edit);
}

/** Edits without what makes them up inside: modes and owners are known by their text. */
function plain(edits: readonly Edit[]): unknown {
  return JSON.parse(
    JSON.stringify(edits.map((edit) => ("bytes" in edit ? { ...edit, bytes: [...edit.bytes] } : edit))),
  );
}

test("each verb has the words and options of its command", () => {
  const script = `
put -p --owner joe: ./a 'b c' "/d e"   # to a directory
rm -rf -- /-x /y
mkdir -p --mode=u=rwx /z
mv /a /b /c
ln -sfn ../up /l
ln /a /b
chmod -x,u+s /a
chmod -R 0755 /a /b
chown --no-dereference 0:0 /a
`;
  assert.deepEqual(plain(editsOf(script)), [
    {
      verb: "put",
      sources: ["./a", "b c"],
      to: "/d e",
      unpack: false,
      preserve: true,
      makeParents: false,
      owner: { text: "joe:", user: "joe", group: "login" },
    },
    { verb: "rm", paths: ["/-x", "/y"], recursive: true, force: true },
    { verb: "mkdir", paths: ["/z"], parents: true, mode: { text: "u=rwx" } },
    { verb: "mv", from: ["/a", "/b"], to: "/c" },
    { verb: "ln", target: "../up", path: "/l", symbolic: true, force: true, noDereference: true },
    { verb: "ln", target: "/a", path: "/b", symbolic: false, force: false, noDereference: false },
    { verb: "chmod", mode: { text: "-x,u+s" }, paths: ["/a"], recursive: false },
    { verb: "chmod", mode: { text: "0755" }, paths: ["/a", "/b"], recursive: true },
    {
      verb: "chown",
      owner: { text: "0:0", user: "0", group: { name: "0" } },
      paths: ["/a"],
      recursive: false,
      noDereference: true,
    },
  ]);
});

const texts: readonly (readonly [script: string, verb: string, path: string, text: string])[] = [
  ['write /a one  \'two  three\' "f\\"our" fi\\ ve', "write", "/a", 'one two  three f"our fi ve\n'],
  ["append /a", "append", "/a", ""],
  ["write /a <<END\n # no comment\n\n  'kept' \\\nEND\n", "write", "/a", " # no comment\n\n  'kept' \\\n"],
  ["write /a <<'EOF'\n$HOME\nEOF", "write", "/a", "$HOME\n"],
  ["write /a <<E\nE", "write", "/a", ""],
  ["write /a '<<E'", "write", "/a", "<<E\n"],
  ["write /a <<E # comment\nx\nE", "write", "/a", "x\n"],
  ["write /a b\r\n", "write", "/a", "b\n"],
  ["write /é €", "write", "/é", "€\n"],
];

for (const [script, verb, path, text] of texts) {
  test(`${JSON.stringify(script)} writes ${JSON.stringify(text)}`, () => {
    assert.deepEqual(editsOf(script), [{ verb, path, bytes: Buffer.from(text) }]);
  });
}

test("a script of nothing asks for nothing", () => {
  assert.deepEqual(parseEditScript(""), []);
  assert.deepEqual(parseEditScript("\n  # only a comment\n\n"), []);
});

test("an edit knows its line, also after text of several lines", () => {
  const origins = parseEditScript("\nwrite /a <<X\n1\n2\nX\n# c\nrm /a").map(({ origin }) => origin);
  assert.deepEqual(origins, ["line 2", "line 7"]);
});

const failures: readonly (readonly [script: string, message: RegExp])[] = [
  ["rm /a\nfrob /b", /^line 2: there is no verb "frob"$/],
  ["rm", /^line 1: cannot run "rm": PLACE is missing$/],
  ["rm --frob /a", /^line 1: cannot use "--frob": "rm" has no such option$/],
  ["rm --dry-run /a", /^line 1: cannot use "--dry-run"/],
  ["rm --help", /^line 1: cannot run "rm": a script cannot ask for help$/],
  ["rm a", /^line 1: cannot use "a" as a path of the image: it does not begin with \/$/],
  ["rm big:/a", /^line 1: cannot use "big:\/a" as a path of the image/],
  ["chmod 999 /a", /^line 1: cannot understand the mode "999"$/],
  ["chown : /a", /^line 1: cannot understand the owner ":"$/],
  ["\n\nwrite /a 'b", /^line 3: a quote is not closed$/],
  ['write /a "b', /^line 1: a quote is not closed$/],
  ["write /a b\\", /^line 1: nothing follows the \\ at its end$/],
  ["write /a <<END\ntext\n END", /^line 1: no line "END" follows$/],
  ["write /a <<", /^line 1: "<<" names no end of the text$/],
  ["write /a << END\nEND", /^line 2: there is no verb "END"$/],
  ["write /a <<'E O'\nE O", /^line 1: "<<'E O'" names no end of the text$/],
  ["write /a b <<END\nEND", /^line 1: cannot run "write": text stands both on the line and after it$/],
  ["write", /^line 1: cannot run "write": PATH is missing$/],
  ["rm /a <<END\nEND", /^line 1: cannot run "rm": it takes no text after <<$/],
  ["mv /a", /^line 1: cannot move: name what to move, and where to$/],
  ["put /a", /^line 1: cannot put: name what to put, and last where it goes$/],
];

for (const [script, message] of failures) {
  test(`${JSON.stringify(script)} is refused, its line named`, () => {
    assert.throws(() => parseEditScript(script), { name: "Failure", code: "usage", message });
  });
}

const word = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom("'", '"', "\\", " ", "#", "<", "-", "$", "é"),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 12,
  })
  .filter((text) => !/[\r\n]/.test(text));
const path = word.map((text) => `/${text}`);
const paths = fc.array(path, { minLength: 1, maxLength: 3 });
const mode = fc.constantFrom("644", "-x", "u+x,go=", "=", "00755").map(parseModeChange);
const owner = fc.constantFrom("0", "joe:users", ":7", "joe:").map(parseOwner);
const wishes = fc.record({ mode, owner }, { requiredKeys: [] });
const flag = fc.boolean();
const lines = fc.array(word, { maxLength: 4 }).map((all) => Buffer.from(all.map((one) => `${one}\n`).join("")));

const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc
    .tuple(
      fc.record({
        verb: fc.constant("put" as const),
        sources: fc.array(word, { minLength: 1, maxLength: 3 }),
        to: path,
        unpack: flag,
        preserve: flag,
        makeParents: flag,
      }),
      wishes,
    )
    .map(([put, wish]) => ({ ...put, ...wish })),
  fc.record({ verb: fc.constantFrom("write" as const, "append" as const), path, bytes: lines }),
  fc.record({ verb: fc.constant("rm" as const), paths, recursive: flag, force: flag }),
  fc
    .tuple(fc.record({ verb: fc.constant("mkdir" as const), paths, parents: flag }), wishes)
    .map(([mkdir, wish]) => ({ ...mkdir, ...wish })),
  fc.record({ verb: fc.constant("mv" as const), from: paths, to: path }),
  fc.record({
    verb: fc.constant("ln" as const),
    target: word,
    path,
    symbolic: fc.constant(true),
    force: flag,
    noDereference: flag,
  }),
  fc.record({ verb: fc.constant("chmod" as const), mode, paths, recursive: flag }),
  fc.record({ verb: fc.constant("chown" as const), owner, paths, recursive: flag, noDereference: flag }),
);

test("what a dry run prints is a script of the same edits", () => {
  fc.assert(
    fc.property(fc.array(anyEdit, { maxLength: 4 }), (edits) => {
      assert.deepEqual(plain(editsOf(edits.map(editText).join("\n"))), plain(edits));
    }),
  );
});
