/** Our shell and its programs against dash, sed and grep: what they print, and how they end. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { allPrograms } from "../../src/debian/programs/index.ts";
import { Shell } from "../../src/debian/shell/index.ts";
import { SystemTree } from "../../src/debian/system-tree.ts";
import { temporaryFolder } from "../temp.ts";
import { skipWithout } from "./peer.ts";

const skip = skipWithout("/bin/dash", "sed", "grep");

const scripts = [
  `a=1; b="x $a"; echo "$b" '$a' "\${c:-none}" \${a:+there}`,
  `a=1 b=$a c=\${b}2; echo "$c"; f() { d=$1 e=\${2:-$d.x}; echo $e; }; f p; f q`,
  `set -- one "two three" four; for w in "$@"; do echo "<$w>"; done; shift; echo $# $*; for w; do echo $w; done`,
  `f() { local x=2; echo "$x $1"; return 3; }; x=1; f a || echo $?; echo $x`,
  `p=/usr/lib/thing.so.6; echo \${p##*/} \${p%/*} \${p%%.*} \${p#*/} \${#p}`,
  `case "abc" in a*|b) echo first ;; *) echo other ;; esac; case x in (y) echo y;; ([xz]) echo xz;; esac`,
  `case '
' in ?) echo line ;;
  *) echo no
  ;;
esac`,
  `i=0; while [ $i -lt 3 ]; do i=$((i + 1)); [ $i = 2 ] && continue; echo $i; done; until false; do break; done`,
  `if test -z "" && ! false; then echo yes; elif true; then echo no; else echo never; fi`,
  `echo a b c | { read x y; echo "$y/$x"; }; echo "v:$x"`,
  `x=$(printf '%s-%03d\\n' a 7; echo); echo "[$x]"; echo \`echo in\\\`echo ner\\\`\``,
  `cat <<EOF
one $((1 + 2 * 3)) \\$x
EOF
cat <<'EOF'
$x "quoted"
EOF
cat <<-EOF
	tabs go
	EOF
`,
  `set -e; false || echo kept; (exit 3) || echo "sub $?"; if false; then :; fi; ! true; echo on; false; echo never`,
  `set -e; f() { false; echo "f goes on"; }; if f; then echo fine; fi; x=$(false) || echo failed; y=$(false); echo never`,
  `IFS=:; p=a:b::c; for x in $p; do echo "<$x>"; done; unset IFS; q=" s  t "; for x in $q; do echo "<$x>"; done`,
  `while IFS='#' read -r line rest; do echo "[$line|$rest]"; done <<EOF
a#b
  c  # d
EOF
`,
  `( echo out; echo err >&2 ) 2>/dev/null | cat; { echo one; echo two; } | grep -v one; true | false; echo $?`,
  `echo \${u-unset} \${u:=set} $u; v=; echo "\${v:-empty}" "\${v-kept}"`,
  `trap 'echo bye' EXIT; echo hello; exit 4`,
  `eval 'x=5; echo $x'; set -- $(echo 1 2); echo $2; echo "a	b" | cut -f 2; echo a:b:c | cut -d: -f1,3`,
  `mkdir -p d/e; touch d/e/1 d/e/2 d/.h; for f in d/e/*; do echo $f; done; echo d/e/[2-9] d/x*; [ -d d/e ] && echo dir`,
  `printf 'b\\na\\nb\\n' > l; sort l | uniq; sort -u l; head -n 1 l; tail -n 1 l; wc -l < l; grep -c b l; cat l >> l2; cat l2`,
  `ln -s there link; readlink link; [ -L link ] && [ ! -e link ] && echo dangling; echo x > there; cat link; rm -f link nothing`,
  `echo content > f; cp f g; mv g h; cmp f h && echo same; chmod 640 h; [ -x h ] || echo plain; rm f h; ls 2>/dev/null || true`,
  `printf 'a=1\\n# c\\nb = 2\\n' | sed -n 's/^\\([a-z]\\) *= */\\1:/p'`,
  `printf 'one\\ntwo\\nthree\\n' | sed -e '/two/d' -e '$s/e*$/E/' -e 's/o/0/'`,
  `printf 'passwd:         files\\ngroup: files # x\\n' | sed -E -e '/^passwd:\\s[^#]*$/ s/$/ systemd/' -e '/^group:\\s.*#/ s/#/ systemd #/'`,
  `printf 'k v\\nK  w\\n' | sed -E -n -e 's/[[:space:]]+/ /g' -e 's/^k[[:space:]=]+//Ip'`,
  `printf 'x1\\nstart\\nx2\\nend\\nx3\\n' | sed -n -e '/start/,/end/p' -e '1p'; printf 'a.b\\n' | sed 's/\\./-/;s|-|/|'`,
  `printf 'shadow:*:42:\\nx:y\\n' | grep -q '^shadow:[^:]*:42' && echo found; echo a+b | grep -F a+b; echo ab | grep -E '^(a|b)+$'`,
  `echo abc | grep -x ab || echo no; printf 'a\\nb\\n' | grep -e a -e b; echo Foo | grep -i foo; echo 'a[1]' | grep '\\[1\\]'`,
  `echo HELLO | tr A-Z a-z; echo a.b | tr . -; echo abc | tr -d b; echo 'one two' | awk '{ print $2 }'; basename /a/b.c .c; dirname /a/b`,
  `[ "a" = "a" -a 1 -lt 2 ] && echo both; [ ! -e nothing -o 1 = 2 ] && echo either; test a != b -a -n x && echo third`,
  `x="a  b"; echo $x "$x"; y='*'; echo "$y"; set -f; echo *; echo \${x%% *}`,
  `false; echo $?; f() { return 0; }; f && echo zero; command -v f; echo done | sed 's/d/D/'`,
  `umask 027; touch u; mkdir v; echo "$(echo "nested \\"quotes\\"")"; echo 'it'"'"'s'`,
  `echo md5 | md5sum | sed 's/ .*//'; printf '%s\\n' "a\\b" '%'; printf 'no newline'`,
];

for (const [n, script] of scripts.entries()) {
  test(`script ${n + 1} does what dash does: ${script.split("\n", 1)[0]?.slice(0, 60)}`, { skip }, async () => {
    await using folder = temporaryFolder();
    const real = spawnSync("/bin/dash", ["-c", script], {
      cwd: folder.path,
      encoding: "latin1",
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    });
    assert.deepEqual(runOurs(script), { out: real.stdout, status: real.status });
  });
}

/** Our shell, in a tree that has files where the programs would be. */
function runOurs(script: string): { readonly out: string; readonly status: number } {
  const tree = new SystemTree({ seconds: 0, nanoseconds: 0 });
  for (const path of ["/usr/bin", "/tmp", "/work"]) tree.makeDirectories(path);
  const state = {
    tree,
    packages: new Map(),
    answers: new Map<string, string>(),
    triggered: new Set<string>(),
    deferred: new Set<string>(),
    current: undefined,
  };
  const programs = allPrograms(state);
  for (const name of programs.keys()) if (/^[\w-]+$/.test(name)) tree.write(`/usr/bin/${name}`, "", 0o755);
  tree.settle();
  const shell = new Shell(tree, programs);
  shell.cwd = "/work";
  let out = "";
  shell.streams = { inputs: shell.streams.inputs, outputs: new Map([[1, (text: string) => void (out += text)]]) };
  const status = shell.runScript(script, "sh", []);
  return { out, status };
}
