import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import {
  baseSubjectOf,
  decodeCharset,
  decodeTransfer,
  decodeWords,
  foldText,
  headerValues,
  messageIdsOf,
  parameterValue,
  parseMessage,
  parseSentDate,
  searchTextOf,
  textMatches,
} from "../../../src/mail/message/index.ts";
import { textOfHtml } from "../../../src/mail/message/html-text.ts";

suite("encoded words", () => {
  // RFC 2047 §8.
  const examples: Readonly<Record<string, string>> = {
    "(=?ISO-8859-1?Q?a?=)": "(a)",
    "(=?ISO-8859-1?Q?a?= b)": "(a b)",
    "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)": "(ab)",
    "(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)": "(ab)",
    "(=?ISO-8859-1?Q?a_b?=)": "(a b)",
    "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)": "(a b)",
    "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>": "Keith Moore <moore@cs.utk.edu>",
    "=?ISO-8859-1?Q?Andr=E9?= Pirard": "André Pirard",
    "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=":
      "If you can read this you understand the example.",
    "=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=": "םולש ןב ילטפנ",
    // RFC 2231 §5.
    "=?US-ASCII*EN?Q?Keith_Moore?=": "Keith Moore",
    // A character cut in two, as some programs do.
    "=?utf-8?B?8J8=?= =?utf-8?B?moA=?=": "🚀",
    "=?x-unknown?q?a=C3=A9?=": "aé",
    "=?utf-8?x?abc?= =?broken": "=?utf-8?x?abc?= =?broken",
  };
  for (const [encoded, text] of Object.entries(examples)) {
    test(encoded, () => assert.equal(decodeWords(encoded), text));
  }
});

suite("the base subject", () => {
  const bases: Readonly<Record<string, string>> = {
    "Re: Hello": "HELLO",
    "RE: re:Fw: fwd : Hello": "HELLO",
    "Re[4]: Hello": "HELLO",
    "[list] Re: [other] Hello": "HELLO",
    "[list]": "[LIST]",
    "[a] [b]": "[B]",
    "Hello (fwd)  (FWD) ": "HELLO",
    "[Fwd: Re: Hello (fwd)]": "HELLO",
    "Re: [fwd: [fwd: [x] deep]]": "DEEP",
    "Re: ": "",
    "Regarding: x": "REGARDING: X",
    "  many   blanks\t here ": "MANY BLANKS HERE",
    "=?utf-8?q?Re=3A_caf=C3=A9?=": "CAFÉ",
    "Re: Re": "RE",
    "[no close": "[NO CLOSE",
  };
  for (const [subject, base] of Object.entries(bases)) {
    test(JSON.stringify(subject), () => assert.equal(baseSubjectOf(subject).text, base));
  }

  test("tells answers from others", () => {
    for (const subject of ["Re: x", "[a] re: x", "x (fwd)", "[fwd: x]"]) assert.ok(baseSubjectOf(subject).isReply);
    for (const subject of ["x", "[a] x", "", undefined]) assert.ok(!baseSubjectOf(subject).isReply);
  });
});

suite("the sent date", () => {
  const dates: Readonly<Record<string, string | undefined>> = {
    "Fri, 21 Nov 1997 09:55:06 -0600": "1997-11-21T15:55:06.000Z",
    "21 Nov 97 09:55:06 GMT": "1997-11-21T09:55:06.000Z",
    "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600": "1997-11-21T15:55:06.000Z",
    "Thu, 13 Feb 1969 23:32 -0330 (Newfoundland Time)": "1969-02-14T03:02:00.000Z",
    "Mon, 1 Jan 2024 00:00:00 EST": "2024-01-01T05:00:00.000Z",
    "Mon, 1 Jan 2024 00:00:00 Z": "2024-01-01T00:00:00.000Z",
    "Fri Nov 21 09:55:06 1997": "1997-11-21T09:55:06.000Z",
    "21 Nov 1997": "1997-11-21T00:00:00.000Z",
    "1 Jan 49 00:00:00 +0000": "2049-01-01T00:00:00.000Z",
    "1 Jan 100 00:00:00 +0000": "2000-01-01T00:00:00.000Z",
    "Fri, 32 Nov 1997 09:55:06": undefined,
    "1 Foo 1997 00:00:00": undefined,
    yesterday: undefined,
    "": undefined,
  };
  for (const [text, iso] of Object.entries(dates)) {
    test(JSON.stringify(text), () => {
      const sent = parseSentDate(text);
      assert.equal(sent === undefined ? undefined : new Date(sent.ms).toISOString(), iso);
    });
  }
});

suite("transfer encodings", () => {
  test("base64 gives what was encoded, however it is broken into lines", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 80 }), (bytes, width) => {
        const text = Buffer.from(bytes)
          .toString("base64")
          .replaceAll(new RegExp(`.{${width}}`, "g"), "$&\r\n");
        assert.deepEqual(Buffer.from(decodeTransfer(Buffer.from(text), "base64")), Buffer.from(bytes));
      }),
    );
  });

  test("base64 that was padded in the middle goes on", () => {
    assert.equal(Buffer.from(decodeTransfer(Buffer.from("YQ==YmM=ZGVm!\r\nZw"), "base64")).toString(), "abcdefg");
  });

  test("quoted-printable gives what was encoded", () => {
    const encoded = (bytes: Uint8Array): string => {
      return Array.from(bytes, (byte) => `=${byte.toString(16).padStart(2, "0").toUpperCase()}`)
        .join("")
        .replaceAll(/.{72}/g, "$&=\r\n");
    };
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.deepEqual(
          Buffer.from(decodeTransfer(Buffer.from(encoded(bytes)), "quoted-printable")),
          Buffer.from(bytes),
        );
      }),
    );
  });

  test("quoted-printable leaves out blanks at the end of a line, and forgives", () => {
    const text = "a =\r\nb \t\r\n=20\r\n=3d=zz= \r\nend=";
    assert.equal(Buffer.from(decodeTransfer(Buffer.from(text), "quoted-printable")).toString(), "a b\r\n \r\n==zzend");
  });
});

test("charsets by the names that mail uses", () => {
  const texts: readonly (readonly [charset: string | undefined, bytes: string, text: string])[] = [
    ["ISO-8859-15", "\xa4", "€"],
    ["cp932", "\x93\xfa", "日"],
    ["gb2312", "\xc4\xe3", "你"],
    ["koi8-r", "\xd0", "п"],
    ["utf-7", "Hi +Jjo- +- x", "Hi ☺ + x"],
    ["us-ascii", "caf\xc3\xa9", "café"],
    ["us-ascii", "caf\xe9", "café"],
    [undefined, "caf\xe9", "café"],
    ["no-such-charset", "caf\xc3\xa9", "café"],
    ["utf-8", "caf\xe9", "caf\ufffd"],
  ];
  for (const [charset, bytes, text] of texts) {
    assert.equal(decodeCharset(Buffer.from(bytes, "latin1"), charset), text, charset);
  }
});

test("parameters that were written in pieces or with a charset are decoded", () => {
  const { root } = parseMessage(
    Buffer.from(
      [
        'Content-Type: application/pdf; name="=?utf-8?q?caf=C3=A9?="',
        "Content-Disposition: attachment; filename*1=%A9.pdf; filename*0*=utf-8''caf%C3; filename*1*=%A9.pdf",
        "",
        "",
      ].join("\r\n"),
    ),
  );
  assert.equal(parameterValue(root.parameters, "name"), "café");
  assert.equal(parameterValue(root.disposition?.parameters ?? [], "filename"), "café.pdf");
  assert.equal(parameterValue(root.parameters, "other"), undefined);
});

test("Message-IDs are found in whatever stands around them, in one spelling", () => {
  assert.deepEqual(messageIdsOf('<a@b> text (<no@comment>)\t<"quoted left"@c><d@e> <noat> <open@f'), [
    "a@b",
    "quoted left@c",
    "d@e",
  ]);
  assert.deepEqual(messageIdsOf(undefined), []);
});

test("HTML is read as its reader sees it", () => {
  const texts: Readonly<Record<string, string>> = {
    "<p>a</p><p>b</p>": "a b",
    "w<b>or</b>d": "word",
    "a &lt;b&gt; &amp; &#x20AC;&#8364; &nosuch; &copy": "a <b> & €€ &nosuch; ©",
    "1 < 2 and 3 > 2": "1 < 2 and 3 > 2",
    "Fran&ccedil;ois &Ntilde;u&ntilde;ez &frac12; &yuml; su&shy;per": "François Ñuñez ½ ÿ super",
    "<style>x{}</style>a<script>if (a < b) {}</SCRIPT>b<!-- c -->d": "a b d",
    "<style>never ends a": "never ends a",
  };
  for (const [html, text] of Object.entries(texts)) {
    assert.equal(textOfHtml(html).replaceAll(/\s+/g, " ").trim(), text, html);
  }
});

suite("searching a message", () => {
  const bytes = Buffer.from(
    [
      "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from",
      " far",
      "X-Note: Something",
      "X-Note: else",
      "Content-Type: multipart/mixed; boundary=b",
      "",
      "--b",
      "Content-Type: text/plain; charset=iso-8859-1",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "The caf=E9 on the cor=",
      "ner",
      "is open",
      "--b",
      "Content-Type: text/html",
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from("<p>All <b>w</b>ell</p>").toString("base64"),
      "--b",
      'Content-Type: application/pdf; name="plan.pdf"',
      "",
      "hidden",
      "--b",
      "Content-Type: message/rfc822",
      "",
      "Subject: attached one",
      "",
      "inside",
      "--b--",
    ].join("\r\n"),
  );
  const { root } = parseMessage(bytes);

  test("finds decoded words in texts, names of attachments and attached messages", () => {
    for (const text of ["café", "CAFÉ", "corner is OPEN", "all well", "plan.pdf", "attached ONE", "inside"]) {
      assert.ok(textMatches(bytes, root, { in: "body", text }), text);
      assert.ok(textMatches(bytes, root, { in: "text", text }), text);
    }
    for (const text of ["hidden", "grüße", "something", "<b>"]) {
      assert.ok(!textMatches(bytes, root, { in: "body", text }), text);
    }
  });

  test("finds words in fields, also in those that stand twice", () => {
    assert.ok(textMatches(bytes, root, { in: "header", name: "subject", text: "GRÜSSE FROM FAR" }));
    assert.ok(textMatches(bytes, root, { in: "header", name: "X-NOTE", text: "ELSE" }));
    assert.ok(textMatches(bytes, root, { in: "header", name: "x-note", text: "" }));
    assert.ok(!textMatches(bytes, root, { in: "header", name: "x-other", text: "" }));
    assert.ok(textMatches(bytes, root, { in: "text", text: "grüsse" }));
    assert.deepEqual(headerValues(bytes, "X-Note"), ["Something", "else"]);
  });

  test("uses the text that an index is made of", () => {
    const { headers, body } = searchTextOf(bytes, root);
    assert.match(headers, /^subject: Grüße from far\n/);
    assert.match(foldText(body), new RegExp(foldText("café on the corner")));
  });
});
