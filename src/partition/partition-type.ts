import { Failure } from "../base/index.ts";

interface PartitionType {
  readonly name: string;
  readonly mbr?: number;
  readonly gpt?: string;
}

const microsoftData = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7";

/**
 * One name for one use, whichever the table. Where two rows share a code, the first gives it its name.
 * GUIDs: UEFI 2.10 §5.3.3, the Discoverable Partitions Specification, and the makers' own documents.
 */
const partitionTypes: readonly PartitionType[] = [
  { name: "linux", mbr: 0x83, gpt: "0FC63DAF-8483-4772-8E79-3D69D8477DE4" },
  { name: "linux-swap", mbr: 0x82, gpt: "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F" },
  { name: "swap", mbr: 0x82, gpt: "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F" },
  { name: "efi", mbr: 0xef, gpt: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" },
  { name: "lvm", mbr: 0x8e, gpt: "E6D6D379-F507-44C2-A23C-238F2A3DF928" },
  { name: "raid", mbr: 0xfd, gpt: "A19D880F-05FC-4D3B-A006-743F0F84911E" },
  { name: "linux-boot", mbr: 0xea, gpt: "BC13C2FF-59E6-4262-A352-B275FD6F7172" },
  { name: "linux-root-x86", gpt: "44479540-F297-41B2-9AF7-D131D5F0458A" },
  { name: "linux-root-x86-64", gpt: "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709" },
  { name: "linux-root-arm", gpt: "69DAD710-2CE4-4E3C-B16C-21A1D49ABED3" },
  { name: "linux-root-arm64", gpt: "B921B045-1DF0-41C3-AF44-4C6F280D3FAE" },
  { name: "linux-root-riscv64", gpt: "72EC70A6-CF74-40E6-BD49-4BDA08E8F224" },
  { name: "linux-usr-x86-64", gpt: "8484680C-9521-48C6-9C11-B0720656F69E" },
  { name: "linux-usr-arm64", gpt: "B0E01050-EE5F-4390-949A-9101B17104E9" },
  { name: "linux-home", gpt: "933AC7E1-2EB4-4F13-B844-0E14E2AEF915" },
  { name: "linux-srv", gpt: "3B8F8425-20E0-4F3B-907F-1A25A76F98E8" },
  { name: "linux-var", gpt: "4D21B016-B534-45C2-A9FB-5C16E091FD2D" },
  { name: "linux-tmp", gpt: "7EC6F557-3BC5-4ACA-B293-16EF5DF639D1" },
  { name: "linux-reserved", gpt: "8DA63339-0007-60C0-C436-083AC8230908" },
  { name: "linux-luks", gpt: "CA7D7CCB-63ED-4C53-861C-1742536059CC" },
  { name: "bios-boot", gpt: "21686148-6449-6E6F-744E-656564454649" },
  { name: "prep-boot", mbr: 0x41, gpt: "9E1A2D38-C612-4316-AA26-8B49521E5A8B" },
  { name: "microsoft-data", gpt: microsoftData },
  { name: "microsoft-reserved", gpt: "E3C9E316-0B5C-4DB8-817D-F92DF00215AE" },
  { name: "windows-recovery", mbr: 0x27, gpt: "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC" },
  { name: "fat12", mbr: 0x01, gpt: microsoftData },
  { name: "fat16-small", mbr: 0x04, gpt: microsoftData },
  { name: "fat16", mbr: 0x06, gpt: microsoftData },
  { name: "fat16-lba", mbr: 0x0e, gpt: microsoftData },
  { name: "fat32", mbr: 0x0b, gpt: microsoftData },
  { name: "fat32-lba", mbr: 0x0c, gpt: microsoftData },
  { name: "ntfs", mbr: 0x07, gpt: microsoftData },
  { name: "exfat", mbr: 0x07, gpt: microsoftData },
  { name: "hidden-fat32", mbr: 0x1b },
  { name: "hidden-fat32-lba", mbr: 0x1c },
  { name: "hidden-ntfs", mbr: 0x17 },
  { name: "extended", mbr: 0x05 },
  { name: "extended-lba", mbr: 0x0f },
  { name: "linux-extended", mbr: 0x85 },
  { name: "gpt-protective", mbr: 0xee },
  { name: "minix", mbr: 0x81 },
  { name: "freebsd", mbr: 0xa5, gpt: "516E7CB4-6ECF-11D6-8FF8-00022D09712B" },
  { name: "openbsd", mbr: 0xa6, gpt: "824CC7A0-36A8-11E3-890A-952519AD3F61" },
  { name: "netbsd", mbr: 0xa9 },
  { name: "solaris", mbr: 0xbf },
  { name: "apple-hfs", mbr: 0xaf, gpt: "48465300-0000-11AA-AA11-00306543ECAC" },
  { name: "apple-apfs", gpt: "7C3457EF-0000-11AA-AA11-00306543ECAC" },
  { name: "vmware-vmfs", mbr: 0xfb, gpt: "AA31E02A-400F-11DB-9590-000C2911D1B8" },
  { name: "non-fs-data", mbr: 0xda },
];

const hexCode = /^(?:0x)?([0-9a-f]{1,2})$/i;
const guidText = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The MBR code of a type: a name, or a code such as `0x83` or `83`. Throws a `usage` failure on anything else. */
export function mbrTypeCode(text: string): number {
  const hex = hexCode.exec(text);
  if (hex !== null) return Number.parseInt(hex[1] ?? "", 16);
  return typeNamed(text)?.mbr ?? refuseType("mbr", text);
}

/** The GUID of a type: a name, a GUID, or the MBR code of a type that GPT has too. Else a `usage` failure. */
export function gptTypeGuid(text: string): string {
  if (guidText.test(text)) return text.toUpperCase();
  const hex = hexCode.exec(text);
  if (hex === null) return typeNamed(text)?.gpt ?? refuseType("gpt", text);
  const code = Number.parseInt(hex[1] ?? "", 16);
  return partitionTypes.find((type) => type.mbr === code)?.gpt ?? refuseType("gpt", text);
}

/** The name of an MBR code or a GPT type GUID; a type without a name is spelled `0x42`, or as its GUID. */
export function partitionTypeName(code: number | string): string {
  if (typeof code === "string") return partitionTypes.find((type) => type.gpt === code)?.name ?? code;
  return partitionTypes.find((type) => type.mbr === code)?.name ?? `0x${code.toString(16).padStart(2, "0")}`;
}

/** All the names that one kind of table understands, for help and completion. */
export function partitionTypeNames(table: "mbr" | "gpt"): string[] {
  return partitionTypes.filter((type) => type[table] !== undefined).map((type) => type.name);
}

/** True for the three codes that hold a chain of logical partitions. */
export function isExtendedCode(code: number): boolean {
  return code === 0x05 || code === 0x0f || code === 0x85;
}

function typeNamed(text: string): PartitionType | undefined {
  return partitionTypes.find((type) => type.name === text.toLowerCase());
}

function refuseType(table: "mbr" | "gpt", text: string): never {
  const other = table === "mbr" ? "gpt" : "mbr";
  const why = typeNamed(text)?.[other] === undefined ? "there is no such name" : `only ${other} tables have it`;
  const raw = table === "mbr" ? "a code such as 0x83" : "a GUID";
  throw new Failure("usage", `cannot use the partition type "${text}" in an ${table} table: ${why}`, {
    hint: `write ${raw} or one of ${partitionTypeNames(table).join(", ")}`,
  });
}
