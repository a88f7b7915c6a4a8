import type { JobOptions } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { filesAt } from "../../filesystem/index.ts";
import { badSectorsName, text, type SmallFile } from "../clonezilla/index.ts";
import type { Source } from "./open-source.ts";
import type { UnreadableReport } from "./request.ts";

const sectorBytes = 512;
/** Of each partition so many files are named. */
const pathLimit = 10_000;

/** What could not be read of a source, for people and as a file of the backup; undefined where all could be. */
export async function reportUnreadable(
  source: Source,
  job: JobOptions,
): Promise<{ readonly report: UnreadableReport; readonly file: SmallFile } | undefined> {
  const { unreadable, name } = source;
  const { stretches, totalBytes } = unreadable;
  if (stretches.length === 0) return undefined;
  const { files, incomplete } = await filesHit(source, job);
  const lines = [
    `# What could not be read of ${name} while it was saved; zeros stand for it in this backup.`,
    `# Sectors of ${sectorBytes} bytes from the beginning of the disk: the first, how many, on which partition`,
    ...stretches.flatMap(({ startBytes, lengthBytes }) => sectorLines(source, startBytes, lengthBytes)),
    "# Files that had data there, as far as their file system tells",
    ...files,
    ...incomplete.map((volume) => `# There may be others on ${volume}: not all of it could be looked at`),
    "",
  ];
  const file = text(badSectorsName(name), lines.join("\n"));
  return { report: { sectors: totalBytes / sectorBytes, files, list: file.name }, file };
}

function sectorLines({ volumes }: Source, startBytes: number, lengthBytes: number): string[] {
  const lines: string[] = [];
  for (let at = startBytes; at < startBytes + lengthBytes;) {
    const end = startBytes + lengthBytes;
    const volume = volumes.find(({ partition, sizeBytes }) => {
      const start = partition?.startBytes ?? 0;
      return partition?.extended !== true && start <= at && at < start + sizeBytes;
    });
    const next = Math.min(end, ...volumes.flatMap(({ partition, sizeBytes }) => bordersOf(partition, sizeBytes, at)));
    lines.push(`${at / sectorBytes} ${(next - at) / sectorBytes} ${volume?.name ?? "-"}`);
    at = next;
  }
  return lines;
}

/** Where a partition begins and ends, as far as that is behind a place. */
function bordersOf(partition: Source["volumes"][number]["partition"], sizeBytes: number, at: number): number[] {
  const start = partition?.startBytes ?? 0;
  return [start, start + sizeBytes].filter((border) => border > at);
}

async function filesHit({ volumes, unreadable }: Source, { signal, onProgress }: JobOptions) {
  const files: string[] = [];
  const incomplete: string[] = [];
  for (const { name, partition, sizeBytes, content } of volumes) {
    const start = partition?.startBytes ?? 0;
    const hit = unreadable
      .within(start, sizeBytes)
      .map((stretch) => ({ ...stretch, startBytes: stretch.startBytes - start }));
    if (hit.length === 0 || content?.saved !== "image") continue;
    onProgress?.({ phase: `looking for files hit on ${name}`, doneBytes: 0 });
    const options = { pathLimit, ...(signal === undefined ? {} : { signal }) };
    const { paths, isIncomplete } = await filesAt(content.fileSystem, hit, options);
    files.push(...paths.map((path) => `${name}: ${printableName(path)}`));
    if (isIncomplete) incomplete.push(name);
  }
  return { files, incomplete };
}
