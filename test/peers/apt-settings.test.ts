import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { AptConfiguration, readAptSources } from "../../src/debian/apt/index.ts";
import { machine } from "../debian/test-archive.ts";
import { runPeer, skipWithout } from "./peer.ts";

suite("apt's settings are read as apt reads them", { skip: skipWithout("apt-config", "apt-get") }, () => {
  test("configuration files", async () => {
    await using home = machine("http://127.0.0.1/", {
      settings: `
        // a comment
        /* another "one" { */
        # and a third
        Acquire::http::Proxy "http://127.0.0.1:3142//x"; // not a comment inside
        Acquire { Retries "7"; https { Proxy "DIRECT"; Proxy::host.example "http://h:1"; }; };
        Acquire::Check-Valid-Until no;
        Test::List { "a"; "b"; };
        Test::List:: "c";
        Test::Gone "x"; Test::Gone::Inside "y";
        #clear Test::Gone;
        ACQUIRE::HTTP::timeout "12";
        Dir::Cache::archives "/elsewhere/archives/";
        Dir::State::lists "here";`,
    });
    home.write("etc/apt/apt.conf.d/10first", 'Test::Order "first"; Test::First "yes";');
    home.write("etc/apt/apt.conf.d/20second.conf", 'Test::Order "second";');
    home.write("etc/apt/apt.conf.d/30third.disabled", 'Test::Order "third";');
    home.write("etc/apt/apt.conf", 'Test::Last "main"; Test::Empty "";');
    const { env } = home.request();
    const configuration = AptConfiguration.read(env);
    const names = [
      "Acquire::http::Proxy",
      "Acquire::Retries",
      "Acquire::https::Proxy",
      "Acquire::https::Proxy::host.example",
      "Acquire::Check-Valid-Until",
      "Test::Gone",
      "Test::Gone::Inside",
      "Acquire::http::Timeout",
      "Test::Order",
      "Test::First",
      "Test::Last",
      "Test::Empty",
      "Test::Absent",
    ];
    const shell = runPeer("apt-config", ["shell", ...names.flatMap((name, n) => [`v${n}`, name])], { env });
    const apts = names.map((_, n) => new RegExp(`^v${n}='(.*)'$`, "m").exec(shell)?.[1] || undefined);
    assert.deepEqual(
      names.map((name) => configuration.get(name)),
      apts,
    );
    const dump = runPeer("apt-config", ["dump", "--format", "%f %v%n"], { env });
    assert.deepEqual(
      configuration.list("Test::List"),
      [...dump.matchAll(/^Test::List:: (.*)$/gm)].map(([, value]) => value),
    );
    const folders = ["Dir::Cache::archives", "Dir::State::lists", "Dir::Etc::parts", "Dir::Etc::sourceparts"];
    const places = runPeer("apt-config", ["shell", ...folders.flatMap((name, n) => [`v${n}`, `${name}/d`])], { env });
    assert.deepEqual(
      folders.map((name) => configuration.path(name).replace(/\/*$/, "/")),
      folders.map((_, n) => new RegExp(`^v${n}='(.*)'$`, "m").exec(places)?.[1]),
    );
  });

  test("sources in both forms", async () => {
    await using home = machine("http://127.0.0.1/a", { suites: "one one-updates", extra: "Architectures: amd64\n" });
    home.write(
      "etc/apt/sources.list",
      [
        "# comment",
        "deb http://127.0.0.1/b/ two main contrib # and one behind",
        "  deb  [ arch=amd64 signed-by=/x.gpg ]   https://127.0.0.1/c three   main",
        "deb-src http://127.0.0.1/b two main",
        "",
      ].join("\n"),
    );
    home.write("etc/apt/sources.list.d/b.list", "deb [arch=amd64,arm64] http://127.0.0.1/e five main\n");
    home.write("etc/apt/sources.list.d/c.list.save", "deb http://127.0.0.1/f six main\n");
    home.write(
      "etc/apt/sources.list.d/d.sources",
      [
        "# a comment",
        "Enabled: no",
        "Types: deb",
        "URIs: http://127.0.0.1/g",
        "Suites: seven",
        "Components: main",
        "",
        "Types: deb deb-src",
        "URIs: http://127.0.0.1/h",
        "  http://127.0.0.1/i",
        "Suites: eight",
        "components: main",
        " contrib",
        "Signed-By:",
        " -----BEGIN PGP PUBLIC KEY BLOCK-----",
        " .",
        " xjMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJku",
        " -----END PGP PUBLIC KEY BLOCK-----",
        "",
      ].join("\n"),
    );
    const { env } = home.request();
    const printed = runPeer("apt-get", ["update", "--print-uris"], { env });
    const sources = readAptSources(AptConfiguration.read(env));
    const ours = sources.flatMap(({ url, suite, components }) => {
      return components.map((component) => `${url}dists/${suite}/${component}`);
    });
    const apts = [...printed.matchAll(/^'(.*)\/binary-amd64\/Packages/gm)].map(([, index = ""]) => index);
    assert.deepEqual(new Set(ours), new Set(apts));
    assert.equal(apts.length, 10);
    const eighth = sources.find((source) => source.url === "http://127.0.0.1/h/");
    assert.match(eighth?.signedBy?.embedded ?? "", /BLOCK-----\n\nxjMEU/);
  });
});
