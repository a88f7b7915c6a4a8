/** A volume group with a volume, as far as /sys and the programs of LVM tell: the kernel need not have device mapper. */
import * as fs from "node:fs";
import { fakeSystem } from "../device/fake-system.ts";
import { plugIn, type LoopStick } from "../peers/loop-stick.ts";
import type { TemporaryFolder } from "../temp.ts";

const uuid = `LVM-${"a1B2".repeat(16)}`;
const mib = 2 ** 20;

export interface FakeVolume {
  readonly lv_name: string;
  readonly lv_attr?: string;
  readonly origin?: string;
  readonly lv_tags?: string;
  readonly snap_percent?: string;
}

/** What a program is told to say on its error output, and then to fail. */
type Failing = Partial<Record<"lvs" | "lvcreate" | "lvremove", string>>;

/** lvcreate's snapshot is a copy of the image, and stands in the list as `made` says. */
const script = `#!/bin/sh
program=\${0##*/}
echo "$program $*" >> "$FAKE/log"
if [ -e "$FAKE/fail-$program" ]; then cat "$FAKE/fail-$program" >&2; exit 5; fi
case $program in
lvs)
  printf '{"report": [{"lv": ['
  for row in "$FAKE"/volumes/*; do printf '%s' "$comma"; cat "$row"; comma=,; done
  printf ']}]}' ;;
lvcreate)
  while [ $# -gt 1 ]; do
    case $1 in --name) name=$2 ;; --addtag) tag=$2 ;; esac
    shift
  done
  cp "$FAKE/image" "$FAKE/root/dev/mapper/vg--main-$(echo "$name" | sed s/-/--/g)"
  sed "s|NAME|$name|; s|TAG|$tag|" "$FAKE/made" > "$FAKE/volumes/$name" ;;
lvremove)
  rm "$FAKE/volumes/\${2#*/}" ;;
esac
`;

export interface FakeLvm extends AsyncDisposable {
  /** The device of `vg-main/my-root`. */
  readonly device: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where `sys` and `dev` are. */
  readonly root: string;
  add(volume: FakeVolume): void;
  /** How the next snapshot is listed once it is there. */
  makes(row: Partial<FakeVolume>): void;
  fails(programs: Failing): void;
  /** What was run since it was last asked, with the snapshot's own name as `NEW` and its tag as `TAG`. */
  commands(): string[];
  /** Names of all volumes. */
  volumes(): string[];
}

/** Over an image, in a group with so many extents of 4 MiB that are free. */
export function fakeLvm(folder: TemporaryFolder, image: string, freeExtents = 100): FakeLvm {
  const state = folder.join("lvm");
  const root = `${state}/root`;
  for (const name of ["bin", "volumes", "root/dev/mapper"]) fs.mkdirSync(`${state}/${name}`, { recursive: true });
  fs.symlinkSync(image, `${state}/image`);
  for (const program of ["lvs", "lvcreate", "lvremove"])
    fs.writeFileSync(`${state}/bin/${program}`, script, { mode: 0o755 });
  const stick: LoopStick = plugIn(image);
  const name = stick.device.slice("/dev/".length);
  const number = fs.readFileSync(`/sys/class/block/${name}/dev`, "utf8").trim();
  fakeSystem(root, [{ at: "virtual/block/dm-0", number, files: { "dm/name": "vg--main-my--root", "dm/uuid": uuid } }]);
  const rowOf = (volume: FakeVolume): string => {
    const group = { vg_name: "vg-main", vg_free: String(freeExtents * 4 * mib), vg_extent_size: String(4 * mib) };
    const size = { lv_size: String(fs.statSync(image).size) };
    return JSON.stringify({
      ...group,
      ...size,
      lv_attr: "-wi-ao----",
      origin: "",
      lv_tags: "",
      snap_percent: "",
      ...volume,
    });
  };
  const fake: FakeLvm = {
    device: stick.device,
    env: { ...process.env, PATH: `${state}/bin:${process.env["PATH"]}`, FAKE: state },
    root,
    add: (volume) => fs.writeFileSync(`${state}/volumes/${volume.lv_name}`, rowOf(volume)),
    makes(row) {
      const usual = { lv_name: "NAME", lv_attr: "swi-a-s---", origin: "my-root", lv_tags: "TAG", snap_percent: "0.00" };
      fs.writeFileSync(`${state}/made`, rowOf({ ...usual, ...row }));
    },
    fails(programs) {
      for (const [program, text] of Object.entries(programs)) fs.writeFileSync(`${state}/fail-${program}`, text);
    },
    commands() {
      const lines = fs.readFileSync(`${state}/log`, "utf8").trimEnd().split("\n");
      fs.rmSync(`${state}/log`);
      return lines.map((line) => line.replace(/holdfast-\d+-\w+/, "NEW").replace(/holdfast:\S+/, "TAG"));
    },
    volumes: () => fs.readdirSync(`${state}/volumes`),
    [Symbol.asyncDispose]: () => stick[Symbol.asyncDispose](),
  };
  fake.add({ lv_name: "my-root" });
  fake.makes({});
  return fake;
}
